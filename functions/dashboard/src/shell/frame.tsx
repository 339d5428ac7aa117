import { useQueryClient } from "@tanstack/react-query";
import { Activity, LayoutDashboard, ListChecks, LogOut, MessageSquare, Menu as MenuIcon, Phone, PhoneIncoming, Settings, UserRound, WifiOff } from "lucide-react";
import { Building2, Keyboard, RotateCw, Search } from "lucide-react";
import { type ReactNode, useEffect, useState, useSyncExternalStore } from "react";
import { NavLink, useLocation, useNavigate } from "react-router";
import { answer, api, lookedInto, signOut, stopLooking } from "../api/client";
import { useTranslation } from "../i18n";
import { useMay, useMe } from "../session";
import { Avatar, Button, Drawer, IconButton, MenuButton, type MenuEntry } from "../ui";
import { simulator } from "../simulator";
import { settingsPages } from "../pages/settings/pages";
import { Bell } from "./notifications";
import { Palette } from "./palette";
import { Shortcuts } from "./shortcuts";
import { updates } from "./update";
import { LookInto, LookingBanner, useMayLookInto } from "./tenants";

/** Which key goes with K. */
const MAC = /Mac|iPhone|iPad/u.test(navigator.userAgent);

/** Navigation beside the page; above it where there is little room. */
export function Frame({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  const narrow = useNarrow();
  const [drawer, setDrawer] = useState(false);
  const [open, setOpen] = useState<Opened>(null);
  useEffect(() => setDrawer(false), [pathname]);
  const show = (what: Opened) => {
    setDrawer(false);
    setOpen(what);
  };
  return (
    <div className="frame">
      <a className="skip" href="#main">
        {t("shell.skip")}
      </a>
      {narrow ? (
        <header className="top">
          <IconButton name={t("shell.menu")} onPress={() => setDrawer(true)}>
            <MenuIcon aria-hidden="true" />
          </IconButton>
          <Brand />
          <span className="grow" />
          <IconButton name={t("palette.title")} onPress={() => show("palette")}>
            <Search aria-hidden="true" />
          </IconButton>
          <Bell />
          <Account show={show} />
        </header>
      ) : (
        <aside className="side">
          <Side show={show} />
        </aside>
      )}
      <Drawer label={t("shell.menu")} open={drawer} setOpen={setDrawer}>
        <Side show={show} />
      </Drawer>
      <div className="content">
        <Banners />
        {children}
      </div>
      <Palette open={open === "palette"} setOpen={(now) => setOpen(now ? "palette" : null)} />
      <Shortcuts open={open === "shortcuts"} setOpen={(now) => setOpen(now ? "shortcuts" : null)} />
      <LookInto open={open === "tenants"} onClose={() => setOpen(null)} />
    </div>
  );
}

/** As in styles/layout.css: where there is room for one column only. */
const NARROW = window.matchMedia("(max-width: 860px)");

function useNarrow(): boolean {
  return useSyncExternalStore(watchWidth, () => NARROW.matches);
}

function watchWidth(changed: () => void): () => void {
  NARROW.addEventListener("change", changed);
  return () => NARROW.removeEventListener("change", changed);
}

/** What lies above the page. */
type Opened = "palette" | "shortcuts" | "tenants" | null;
type Show = (what: Opened) => void;

function Brand() {
  return (
    <span className="brand">
      <img src="/app/icon.svg" alt="" width="24" height="24" />
      VoiceCore
    </span>
  );
}

/** The pages that this person may see. */
export function usePages() {
  const { t } = useTranslation();
  const calls = useMay("calls:read");
  const watch = useMay("live:read");
  const messages = useMay("messages:read");
  const me = useMe();
  return [
    calls ? { to: "/", label: t("nav.overview"), icon: LayoutDashboard } : null,
    calls && watch ? { to: "/live", label: t("nav.live"), icon: Activity } : null,
    calls ? { to: "/calls", label: t("nav.calls"), icon: Phone } : null,
    messages ? { to: "/messages", label: t("nav.messages"), icon: MessageSquare } : null,
    settingsPages.some((page) => me.permissions.includes(page.permission))
      ? { to: "/settings", label: t("nav.settings"), icon: Settings }
      : null,
    me.permissions.includes("config:write") && me.permissions.includes("departments:all") ? { to: "/setup", label: t("wizard.title"), icon: ListChecks } : null,
    simulator() !== null && me.permissions.includes("config:read") ? { to: "/simulated-call", label: t("simulator.title"), icon: PhoneIncoming } : null,
  ].filter((page) => page !== null);
}

function Side({ show }: { show: Show }) {
  const { t } = useTranslation();
  const pages = usePages();
  return (
    <div className="side-inner">
      <div className="side-head">
        <Brand />
        <span className="grow" />
        <Bell />
      </div>
      <Button className="search-button" onPress={() => show("palette")}>
        <Search aria-hidden="true" />
        <span className="grow">{t("palette.open")}</span>
        <kbd aria-hidden="true">{MAC ? "⌘" : "Ctrl "}K</kbd>
      </Button>
      <nav aria-label={t("shell.navigation")}>
        {pages.map(({ to, label, icon: Icon }) => (
          <NavLink key={to} to={to} end={to === "/"} className="nav-link">
            <Icon aria-hidden="true" />
            {label}
          </NavLink>
        ))}
      </nav>
      <span className="grow" />
      <Account wide show={show} />
    </div>
  );
}

function Account({ wide = false, show }: { wide?: boolean; show: Show }) {
  const { t } = useTranslation();
  const me = useMe();
  const look = useMayLookInto();
  const navigate = useNavigate();
  const client = useQueryClient();
  const name = me.name === "" ? me.email : me.name;
  const tenant = lookedInto() ?? me.memberships.find(({ tenant_id: id }) => id === me.tenant_id)?.tenant_name;
  const leave = async () => {
    // Whoever wants to go is let go, also when the API cannot be told. It is one's own session that ends.
    if (lookedInto() !== null) await stopLooking().catch(() => undefined);
    await signOut().catch(() => undefined);
    await navigate("/sign-in", { replace: true });
    client.clear();
  };
  const change = async (tenantId: string) => {
    await answer(api.POST("/api/v1/auth/tenant", { body: { tenant_id: tenantId } }));
    await navigate("/");
    await client.resetQueries();
  };
  // To change the organisation is about one's own session.
  const others = me.impersonating ? [] : me.memberships.filter(({ tenant_id: id }) => id !== me.tenant_id);
  const ways: (MenuEntry & { go: () => void })[] = [
    { id: "profile", label: t("nav.profile"), icon: <UserRound aria-hidden="true" />, go: () => void navigate("/profile") },
    ...others.map(({ tenant_id: id, tenant_name: other }) => ({ id, label: t("shell.switchTo", { tenant: other }), go: () => void change(id) })),
    ...(look ? [{ id: "tenants", label: t("tenants.open"), icon: <Building2 aria-hidden="true" />, go: () => show("tenants") }] : []),
    { id: "shortcuts", label: t("shortcuts.title"), icon: <Keyboard aria-hidden="true" />, go: () => show("shortcuts") },
    { id: "leave", label: t("shell.signOut"), icon: <LogOut aria-hidden="true" />, go: () => void leave() },
  ];
  return (
    <MenuButton
      label={t("shell.accountMenu")}
      placement={wide ? "top start" : "bottom end"}
      entries={ways}
      onAction={(id) => ways.find((way) => way.id === id)?.go()}
      button={(opens) => (
        <Button {...opens} className={wide ? "account wide" : "account"} {...(wide ? {} : { "aria-label": t("shell.account", { name }) })}>
          <Avatar name={name} />
          {wide ? (
            <span className="names">
              <span>{name}</span>
              {tenant === undefined ? null : <span className="muted small">{tenant}</span>}
            </span>
          ) : null}
        </Button>
      )}
    />
  );
}

function Banners() {
  const { t } = useTranslation();
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const look = () => setOnline(navigator.onLine);
    window.addEventListener("online", look);
    window.addEventListener("offline", look);
    return () => {
      window.removeEventListener("online", look);
      window.removeEventListener("offline", look);
    };
  }, []);
  return (
    <>
      {online ? null : (
        <div className="banner warn" role="status">
          <WifiOff aria-hidden="true" />
          {t("shell.offline")}
        </div>
      )}
      <UpdateBanner />
      <LookingBanner />
    </>
  );
}

function UpdateBanner() {
  const { t } = useTranslation();
  const ready = useSyncExternalStore(updates.watch, updates.ready);
  if (!ready) return null;
  return (
    <div className="banner" role="status">
      <RotateCw aria-hidden="true" />
      <span className="grow">{t("update.ready")}</span>
      <Button onPress={updates.load}>{t("update.reload")}</Button>
    </div>
  );
}
