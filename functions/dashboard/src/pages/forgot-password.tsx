import { type FormEvent, useState } from "react";
import { Form } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { answer, api } from "../api/client";
import { Button, NoteBar, TextField } from "../ui";
import { explain } from "../ui/explain";
import { Door } from "./sign-in";

/** Asks for a mail; `token-forms.tsx` is where its link leads. */
export function ForgotPassword() {
  const { t } = useTranslation();
  const [email, setEmail] = useState("");
  const [busy, setBusy] = useState(false);
  const [sent, setSent] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      await answer(api.POST("/api/v1/auth/forgot-password", { body: { email: email.trim() } }));
      setSent(true);
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Door title={t("forgot.title")}>
      {error === null ? null : <NoteBar tone="bad">{explain(t, error).text}</NoteBar>}
      {sent ? (
        <NoteBar tone="good">{t("forgot.sent")}</NoteBar>
      ) : (
        <Form className="stack" onSubmit={submit}>
          <p className="muted">{t("forgot.text")}</p>
          <TextField label={t("signIn.email")} type="email" autoComplete="username" isRequired autoFocus value={email} onChange={setEmail} />
          <Button type="submit" kind="primary" busy={busy}>
            {t("forgot.action")}
          </Button>
        </Form>
      )}
      <p className="small">
        <Link to="/sign-in">{t("forgot.back")}</Link>
      </p>
    </Door>
  );
}
