import { Lock } from "lucide-react";
import { useTranslation } from "../i18n";
import { Outlet } from "react-router";
import { type Permission, useMay } from "../session";
import { Empty } from "../ui";
import { useTitle } from "./title";

/** What is below is shown to whoever has the permission, and the other where there are two. The API refuses the others all the same. */
export function Need({ permission, and = permission }: { permission: Permission; and?: Permission }) {
  const may = useMay(permission);
  return useMay(and) && may ? <Outlet /> : <Denied />;
}

export function Denied() {
  const { t } = useTranslation();
  useTitle(t("error.forbidden.title"));
  return (
    <main className="page" id="main">
      <h1 className="visually-hidden">{t("error.forbidden.title")}</h1>
      <Empty icon={<Lock aria-hidden="true" />} title={t("error.forbidden.title")}>
        {t("error.forbidden.text")}
      </Empty>
    </main>
  );
}
