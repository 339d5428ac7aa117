import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Link, useLocation, useNavigate } from "react-router";
import { signIn } from "../api/client";
import { useTranslation } from "../i18n";
import { useTitle } from "../shell/title";
import { Button, ErrorBar, NoteBar, TextField } from "../ui";
import { useSubmit } from "../ui/submit";

/** A page for somebody who is not signed in. */
export function Door({ title, children }: { title: string; children: ReactNode }) {
  useTitle(title);
  return (
    <main className="door" id="main">
      <div className="door-box">
        <img src="/app/icon.svg" alt="" width="40" height="40" />
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}

export function SignIn() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const state = (useLocation().state ?? {}) as { to?: string; ended?: boolean; email?: string; said?: string };
  const [email, setEmail] = useState(state.email ?? "");
  const [password, setPassword] = useState("");

  const { submit, busy, error } = useSubmit(async () => {
    await signIn(email.trim(), password);
    client.clear();
    await navigate(state.to ?? "/", { replace: true });
  });

  return (
    <Door title={t("signIn.title")}>
      {state.said !== undefined && error === null ? <NoteBar tone="good">{state.said}</NoteBar> : null}
      {state.ended === true && error === null ? <NoteBar>{t("signIn.ended")}</NoteBar> : null}
      <ErrorBar error={error} />
      <form className="stack" onSubmit={submit}>
        <TextField label={t("signIn.email")} name="email" type="email" autoComplete="username" isRequired autoFocus value={email} onChange={setEmail} />
        <TextField
          label={t("signIn.password")}
          name="password"
          type="password"
          autoComplete="current-password"
          isRequired
          value={password}
          onChange={setPassword}
        />
        <Button type="submit" kind="primary" busy={busy}>
          {t("signIn.action")}
        </Button>
      </form>
      <p className="small">
        <Link to="/forgot-password">{t("signIn.forgot")}</Link>
      </p>
    </Door>
  );
}
