// Where the links of our mails lead. The token is taken out of the address at once: it is worth a password.

import { useEffect, useState } from "react";
import { Link, useNavigate } from "react-router";
import { answer, api, ApiFailure } from "../api/client";
import { useTranslation } from "../i18n";
import { Button, ErrorBar, NoteBar, TextField } from "../ui";
import { explain } from "../ui/explain";
import { Door } from "./sign-in";
import { useSubmit } from "../ui/submit";

const MAX_PASSWORD = 256;
const MAX_NAME = 200;

/** The token that the address had when the page was opened; it has it no more. */
function useToken(): string {
  const [token] = useState(() => new URLSearchParams(location.search).get("token") ?? "");
  const navigate = useNavigate();
  useEffect(() => {
    if (location.search !== "") void navigate(location.pathname.replace(/^\/app/u, ""), { replace: true });
  }, [navigate]);
  return token;
}

/** What a form does that is sent once at a time. */
function useSending(send: () => Promise<void>) {
  const { submit, busy, error, wrong } = useSubmit(send);
  const isOld = error instanceof ApiFailure && error.code === "token_invalid";
  return { busy, error, submit, wrong, isOld };
}

/** Accepts an invitation: whoever has no password yet chooses one. */
export function AcceptInvitation() {
  const { t } = useTranslation();
  const token = useToken();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const { busy, error, submit, wrong, isOld } = useSending(async () => {
    const body = { token, name: name.trim() || null, password: password || null };
    const { email, tenant_name: tenant } = await answer(api.POST("/api/v1/auth/accept-invitation", { body }));
    await navigate("/sign-in", { replace: true, state: { email, said: t("invitation.done", { tenant }) } });
  });
  if (token === "") return <Incomplete title={t("invitation.title")} />;
  return (
    <Door title={t("invitation.title")}>
      {error === null ? null : <NoteBar tone="bad">{[explain(t, error).text, ...(isOld ? [t("invitation.another")] : [])].join(" ")}</NoteBar>}
      <form className="stack" onSubmit={submit}>
        <p className="muted">{t("invitation.text")}</p>
        <TextField label={t("invitation.name")} autoComplete="name" autoFocus maxLength={MAX_NAME} value={name} onChange={setName} wrong={wrong.get("name")} />
        <NewPassword value={password} onChange={setPassword} wrong={wrong.get("password")} />
        <Button type="submit" kind="primary" busy={busy}>
          {t("invitation.action")}
        </Button>
      </form>
    </Door>
  );
}

/** Chooses a new password. */
export function ResetPassword() {
  const { t } = useTranslation();
  const token = useToken();
  const navigate = useNavigate();
  const [password, setPassword] = useState("");
  const { busy, error, submit, wrong, isOld } = useSending(async () => {
    await answer(api.POST("/api/v1/auth/reset-password", { body: { token, password } }));
    await navigate("/sign-in", { replace: true, state: { said: t("reset.done") } });
  });
  if (token === "") return <Incomplete title={t("reset.title")} />;
  return (
    <Door title={t("reset.title")}>
      <ErrorBar error={error} />
      {isOld ? <Link to="/forgot-password">{t("reset.another")}</Link> : null}
      <form className="stack" onSubmit={submit}>
        <p className="muted">{t("reset.text")}</p>
        <NewPassword value={password} onChange={setPassword} wrong={wrong.get("password")} isRequired autoFocus />
        <Button type="submit" kind="primary" busy={busy}>
          {t("reset.action")}
        </Button>
      </form>
    </Door>
  );
}

/** The API says what is wrong with a password in English; there is one thing that can be. */
function NewPassword({ wrong, ...props }: { value: string; onChange: (text: string) => void; wrong: string | undefined; isRequired?: boolean; autoFocus?: boolean }) {
  const { t } = useTranslation();
  return (
    <TextField
      {...props}
      wrong={wrong === undefined ? undefined : t("invitation.passwordHint")}
      label={t("invitation.password")}
      hint={wrong === undefined ? t("invitation.passwordHint") : undefined}
      type="password"
      autoComplete="new-password"
      maxLength={MAX_PASSWORD}
    />
  );
}

function Incomplete({ title }: { title: string }) {
  const { t } = useTranslation();
  return (
    <Door title={title}>
      <NoteBar tone="warn">{t("invitation.noToken")}</NoteBar>
      <p className="small">
        <Link to="/sign-in">{t("forgot.back")}</Link>
      </p>
    </Door>
  );
}
