import { useEffect, useRef } from "react";
import { useTranslation } from "../../i18n";
import { Navigate, NavLink, Outlet, useLocation } from "react-router";
import { useMe } from "../../session";
import { Denied } from "../../shell/need";
import { settingsPages } from "./pages";

/** The settings that this person may see, beside the one that is open. */
export function Settings() {
  const { t } = useTranslation();
  const { permissions } = useMe();
  const { pathname } = useLocation();
  const nav = useRef<HTMLElement>(null);
  // In one line there is not room for all of them: the one that is open is to be seen.
  useEffect(() => nav.current?.querySelector(".active")?.scrollIntoView({ block: "nearest", inline: "center" }), [pathname]);
  const pages = settingsPages.filter(({ permission }) => permissions.includes(permission));
  const first = pages[0];
  if (first === undefined) return <Denied />;
  if (/^\/settings\/?$/u.test(pathname)) return <Navigate to={first.to} replace />;
  return (
    <div className="settings">
      <nav ref={nav} className="sub-nav" aria-label={t("nav.settings")}>
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
