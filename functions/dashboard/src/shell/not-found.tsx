import { Compass } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useRouteError } from "react-router";
import { Empty, Failed } from "../ui";
import { useTitle } from "./title";

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

/** In the place of a page that broke: the rest of the application goes on. */
export function Broken() {
  const error = useRouteError();
  return (
    <main className="page" id="main">
      <Failed error={error} retry={() => location.reload()} />
    </main>
  );
}
