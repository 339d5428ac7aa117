import { useState } from "react";
import { Link } from "react-router";
import { answer, api } from "../api/client";
import { useTranslation } from "../i18n";
import { Button, ErrorBar, NoteBar, TextField } from "../ui";
import { Door } from "./sign-in";
import { useSubmit } from "../ui/submit";

/** Asks for a mail; `token-forms.tsx` is where its link leads. */
export function ForgotPassword() {
  const { t } = useTranslation();
  const [email, setEmail] = useState("");
  const [sent, setSent] = useState(false);
  const { submit, busy, error } = useSubmit(async () => {
    await answer(api.POST("/api/v1/auth/forgot-password", { body: { email: email.trim() } }));
    setSent(true);
  });
  return (
    <Door title={t("forgot.title")}>
      <ErrorBar error={error} />
      {sent ? (
        <NoteBar tone="good">{t("forgot.sent")}</NoteBar>
      ) : (
        <form className="stack" onSubmit={submit}>
          <p className="muted">{t("forgot.text")}</p>
          <TextField label={t("signIn.email")} type="email" autoComplete="username" isRequired autoFocus value={email} onChange={setEmail} />
          <Button type="submit" kind="primary" busy={busy}>
            {t("forgot.action")}
          </Button>
        </form>
      )}
      <p className="small">
        <Link to="/sign-in">{t("forgot.back")}</Link>
      </p>
    </Door>
  );
}
