import { useQuery, useQueryClient } from "@tanstack/react-query";
import i18n from "i18next";
import { useState } from "react";
import { answer, api, type Schema } from "../api/client";
import { savePreferences } from "../api/own";
import { queries } from "../api/queries";
import { useFormat } from "../format";
import { isLanguage, LANGUAGES, speak, useTranslation } from "../i18n";
import { paint, type Theme, useMe } from "../session";
import { useSingleKeys } from "../shell/shortcuts";
import { useRoleName } from "./settings/role-name";
import { useTitle } from "../shell/title";
import { Badge, Button, Card, CheckBox, Confirm, Failed, PageHead, Select, Skeleton } from "../ui";
import { Asked } from "../ui/asked";
import { explain } from "../ui/explain";
import { toast } from "../ui/toast";

const THEMES = ["system", "light", "dark"] as const satisfies readonly Theme[];

/** Who one is, how one likes it, and where one is signed in. */
export function Profile() {
  const { t } = useTranslation();
  useTitle(t("nav.profile"));
  const me = useMe();
  const named = useRoleName();
  const tenant = me.memberships.find(({ tenant_id: id }) => id === me.tenant_id);
  return (
    <main className="page narrow" id="main">
      <PageHead title={t("nav.profile")} />
      <Card title={t("profile.you")}>
        <dl className="facts">
          {me.name === "" ? null : (
            <div>
              <dt>{t("profile.name")}</dt>
              <dd>{me.name}</dd>
            </div>
          )}
          <div>
            <dt>{t("signIn.email")}</dt>
            <dd>{me.email}</dd>
          </div>
          {tenant === undefined ? null : (
            <div>
              <dt>{t("profile.tenant")}</dt>
              <dd>
                {tenant.tenant_name} · {named(tenant.role, tenant.role)}
              </dd>
            </div>
          )}
        </dl>
      </Card>
      <Preferences />
      <Sessions />
    </main>
  );
}

function Preferences() {
  const { t, language } = useTranslation();
  const client = useQueryClient();
  const preferences = useQuery(queries.preferences());
  const [keys, setKeys] = useSingleKeys();
  if (preferences.isError) return <Card title={t("profile.preferences")}><Failed error={preferences.error} retry={() => void preferences.refetch()} /></Card>;
  if (preferences.data === undefined) return <Card title={t("profile.preferences")}><Skeleton /></Card>;
  const known = preferences.data;
  const save = async (changed: Partial<Schema["SavePreferences"]>) => {
    const body = { theme: known.theme ?? null, language: known.language ?? null, layout: known.layout, ...changed };
    try {
      const saved = await savePreferences(body);
      client.setQueryData(queries.preferences().queryKey, saved);
      // In the language that was chosen just now.
      toast(i18n.t("common.saved"));
    } catch (error) {
      toast(explain(t, error).text, "bad");
    }
  };
  const theme = known.theme ?? "system";
  const choose = (id: string) => {
    const chosen = THEMES.find((one) => one === id) ?? "system";
    paint(chosen);
    void save({ theme: chosen });
  };
  const say = async (id: string) => {
    if (!isLanguage(id)) return;
    try {
      await speak(id);
    } catch {
      toast(t("error.network.text"), "bad");
      return;
    }
    await save({ language: id });
  };
  return (
    <Card title={t("profile.preferences")}>
      <div className="stack">
        <div className="form-grid">
          <Select label={t("profile.theme")} options={THEMES.map((id) => ({ id, label: t(`theme.${id}`) }))} value={theme} onChange={choose} />
          <Select label={t("profile.language")} options={[...LANGUAGES]} value={language} onChange={(id) => void say(id)} />
        </div>
        <CheckBox isSelected={keys} onChange={(on) => void setKeys(on)}>
          <span>
            {t("profile.keys")}
          <span className="muted small below">{t("profile.keysHint")}</span>
          </span>
        </CheckBox>
      </div>
    </Card>
  );
}

function Sessions() {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const sessions = useQuery(queries.sessions());
  const [asking, setAsking] = useState(false);
  const end = async () => {
    await answer(api.DELETE("/api/v1/sessions"));
    await client.invalidateQueries({ queryKey: queries.sessions().queryKey });
  };
  const others = (sessions.data?.items.length ?? 0) > 1;
  return (
    <Card
      title={t("profile.sessions")}
      actions={others ? <Button onPress={() => setAsking(true)}>{t("profile.endOthers")}</Button> : undefined}
    >
      <Asked query={sessions} within="card">
        {({ items }) => (
          <ul className="rows">
            {items.map((session) => (
              <li key={session.id}>
                <span className="clip">{browser(session.label)}</span>
                {session.current ? <Badge tone="good">{t("profile.current")}</Badge> : null}
                <span className="muted small">{format.date(session.last_used_at)}</span>
              </li>
            ))}
          </ul>
        )}
      </Asked>
      <Confirm title={t("profile.endTitle")} text={t("profile.endText")} action={t("profile.endOthers")} open={asking} onClose={() => setAsking(false)} onConfirm={end} />
    </Card>
  );
}

/** The browser and the system out of what the browser calls itself; all of it where these are not known. */
function browser(label: string): string {
  const name = /(Edg|OPR|Firefox|Chrome|Safari)\/(\d+)/u.exec(label);
  const system = /(Windows|Mac OS X|Android|iPhone|iPad|Linux)/u.exec(label);
  if (name === null) return label;
  const words: Record<string, string> = { Edg: "Edge", OPR: "Opera" };
  return [`${words[name[1] ?? ""] ?? name[1]} ${name[2]}`, system?.[1]].filter(Boolean).join(" · ");
}
