import { useTranslation } from "react-i18next";
import { Navigate, NavLink, Outlet, useLocation } from "react-router";
import { useMe } from "../../session";
import { Denied } from "../../shell/need";
import { settingsPages } from "./pages";

/** The settings that this person may see, beside the one that is open. */
export function Settings() {
  const { t } = useTranslation();
  const { permissions } = useMe();
  const { pathname } = useLocation();
  const pages = settingsPages.filter(({ permission }) => permissions.includes(permission));
  const first = pages[0];
  if (first === undefined) return <Denied />;
  if (/^\/settings\/?$/u.test(pathname)) return <Navigate to={first.to} replace />;
  return (
    <div className="settings">
      <nav className="sub-nav" aria-label={t("nav.settings")}>
        {pages.map(({ to, label }) => (
          <NavLink key={to} to={to} className="nav-link">
            {t(label)}
          </NavLink>
        ))}
      </nav>
      <Outlet />
    </div>
  );
}
