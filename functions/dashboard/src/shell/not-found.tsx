import { Compass } from "lucide-react";
import { useTranslation } from "../i18n";
import { useRouteError } from "react-router";
import { Empty, Failed } from "../ui";
import { useTitle } from "./title";
import { updates } from "./update";

export function NotFound() {
  const { t } = useTranslation();
  useTitle(t("error.not_found.title"));
  return (
    <main className="page" id="main">
      <h1 className="visually-hidden">{t("error.not_found.title")}</h1>
      <Empty icon={<Compass aria-hidden="true" />} title={t("error.not_found.title")}>
        {t("error.not_found.text")}
      </Empty>
    </main>
  );
}

/** In the place of what broke: a page in its frame, or the frame. Should a newer version wait, trying again is trying that one. */
export function Broken() {
  const error = useRouteError();
  return (
    <main className="page" id="main">
      <Failed error={error} retry={() => (updates.ready() ? updates.load() : location.reload())} />
    </main>
  );
}
