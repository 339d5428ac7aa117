import { useCallback, useEffect, useRef, useState } from "react";
import { MessageSquareText, Send } from "lucide-react";
import type { FormEvent } from "react";
import { Form } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { answer, api, type Schema } from "../../api/client";
import { useMay } from "../../session";
import { Button, Card, NoteBar, TextField } from "../../ui";
import { explain } from "../../ui/explain";
import { Transcript } from "../transcript";

type TestCall = Schema["TestCall"];
const MAX_CHARS = 1_000;
/** While the assistant is still thinking, it is asked for this often. */
const LOOK_MS = 1_500;

/** The draft of an assistant, tried in writing: greeted like a caller, with nobody dialled and nothing counted. */
export function TestSession({ assistantId }: { assistantId: string }) {
  const { t } = useTranslation();
  const may = useMay("config:write");
  const [call, setCall] = useState<TestCall | null>(null);
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const end = useRef<HTMLDivElement>(null);
  const carryOut = useCallback(async (ask: () => Promise<TestCall>) => {
    setBusy(true);
    setError(null);
    try {
      setCall(await ask());
      return true;
    } catch (cause) {
      setError(cause);
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  const id = call?.id;
  const thinking = call?.state === "thinking" && !busy;
  useEffect(() => {
    if (!thinking || id === undefined) return;
    const path = { id: assistantId, call_id: id };
    const look = () => answer(api.GET("/api/v1/assistants/{id}/test-calls/{call_id}", { params: { path } })).then(setCall, setError);
    const timer = setInterval(() => void look(), LOOK_MS);
    return () => clearInterval(timer);
  }, [assistantId, id, thinking]);
  const lines = call?.interactions.length ?? 0;
  useEffect(() => {
    if (lines > 1) end.current?.scrollIntoView({ block: "nearest" });
  }, [lines]);
  if (!may) return null;
  const start = () => carryOut(() => answer(api.POST("/api/v1/assistants/{id}/test-calls", { params: { path: { id: assistantId } }, body: {} })));
  const say = async (event: FormEvent) => {
    event.preventDefault();
    if (call === null) return;
    const path = { id: assistantId, call_id: call.id };
    const body = { step: call.step, text: said };
    if (await carryOut(() => answer(api.POST("/api/v1/assistants/{id}/test-calls/{call_id}/messages", { params: { path }, body })))) setSaid("");
  };
  const stop = () => {
    if (call === null) return;
    const path = { id: assistantId, call_id: call.id };
    void carryOut(() => answer(api.POST("/api/v1/assistants/{id}/test-calls/{call_id}/end", { params: { path } })));
  };
  const over = call?.state === "over";
  const actions =
    call === null || over ? (
      <Button busy={busy} icon={<MessageSquareText aria-hidden="true" />} onPress={() => void start()}>
        {t(over ? "wizard.test.again" : "wizard.test.start")}
      </Button>
    ) : (
      <Button onPress={stop}>{t("wizard.test.end")}</Button>
    );
  return (
    <Card title={t("wizard.test.title")} actions={actions}>
      <div className="stack">
        {call === null ? <p className="muted">{t("wizard.test.text")}</p> : null}
        {call === null ? null : (
          <div role="log" aria-label={t("wizard.test.title")} className="test-log">
            <Transcript items={call.interactions} words="" />
            <div ref={end} />
          </div>
        )}
        {error === null ? null : <NoteBar tone="bad">{explain(t, error).text}</NoteBar>}
        {over ? <NoteBar>{t("wizard.test.over")}</NoteBar> : null}
        {call === null || over ? null : (
          <Form className="say" onSubmit={(event) => void say(event)}>
            <TextField label={t("wizard.test.say")} isRequired maxLength={MAX_CHARS} autoComplete="off" value={said} onChange={setSaid} />
            <Button type="submit" kind="primary" busy={busy || call.state === "thinking"} icon={<Send aria-hidden="true" />}>
              {t("wizard.test.send")}
            </Button>
          </Form>
        )}
      </div>
    </Card>
  );
}
