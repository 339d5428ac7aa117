import { useCallback, useEffect, useRef, useState } from "react";
import { MessageSquareText, Send } from "lucide-react";
import type { FormEvent } from "react";
import { answer, api, type Schema } from "../../api/client";
import { useTranslation } from "../../i18n";
import { useMay } from "../../session";
import { Button, Card, ErrorBar, NoteBar, TextField } from "../../ui";
import { Transcript } from "../transcript";

type TestCall = Schema["TestCall"];
const MAX_CHARS = 1_000;
/** While the assistant is still thinking, it is asked for this often. */
const LOOK_MS = 1_500;
/** In the place of this look, it is said that nothing was said: that takes up again what was cut off. */
const SAY_AT_LOOK = 10;
/** Looks at one step; after that nothing more is expected of it. */
const MAX_LOOKS = 40;

/** An assistant's test call: the ways to what the API does with it. */
const params = (assistantId: string, { id }: Pick<TestCall, "id">) => ({ path: { id: assistantId, call_id: id } });

/** Ends a test call that nobody sees any more: it would hold one of the few places for half an hour. The page may be going. */
function leave(assistantId: string, call: TestCall | null): void {
  if (call === null || call.state === "over") return;
  const ended = api.POST("/api/v1/assistants/{id}/test-calls/{call_id}/end", { params: params(assistantId, call), keepalive: true });
  // It ends by itself then, later.
  ended.catch(() => undefined);
}

/** What the test call is, and what is told of another state of it. It is ended when the component or the page goes. */
function useTestCall(assistantId: string): [TestCall | null, (now: TestCall) => void] {
  const [call, setCall] = useState<TestCall | null>(null);
  const last = useRef<TestCall | null>(null);
  const gone = useRef(false);
  useEffect(() => {
    gone.current = false;
    const go = () => leave(assistantId, last.current);
    window.addEventListener("pagehide", go);
    return () => {
      window.removeEventListener("pagehide", go);
      gone.current = true;
      go();
    };
  }, [assistantId]);
  const show = useCallback(
    (now: TestCall) => {
      last.current = now;
      setCall(now);
      // What was asked for before the component went, and has begun only now.
      if (gone.current) leave(assistantId, now);
    },
    [assistantId],
  );
  return [call, show];
}

/** Looks at a test call that is `thinking` until it is not, with a limit; then, or when that fails, `fail` is told. */
function useLooks(assistantId: string, call: TestCall | null, thinking: boolean, show: (now: TestCall) => void, fail: (cause: unknown) => void) {
  const [id, step] = [call?.id, call?.step];
  useEffect(() => {
    if (!thinking || id === undefined || step === undefined) return;
    let timer: ReturnType<typeof setTimeout>;
    let stopped = false;
    const look = async (number: number) => {
      try {
        if (number > MAX_LOOKS) throw new Error("the assistant says nothing");
        const way = { params: params(assistantId, { id }) };
        const now = await answer(
          number === SAY_AT_LOOK
            ? api.POST("/api/v1/assistants/{id}/test-calls/{call_id}/messages", { ...way, body: { step } })
            : api.GET("/api/v1/assistants/{id}/test-calls/{call_id}", way),
        );
        if (stopped) return;
        show(now);
        timer = setTimeout(() => void look(number + 1), LOOK_MS);
      } catch (cause) {
        if (!stopped) fail(cause);
      }
    };
    timer = setTimeout(() => void look(1), LOOK_MS);
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [assistantId, id, step, thinking, show, fail]);
}

/**
 * The draft of an assistant, tried in writing: greeted like a caller, with nobody dialled and nothing counted. To be mounted anew (`key`)
 * for another assistant.
 */
export function TestSession({ assistantId }: { assistantId: string }) {
  const { t } = useTranslation();
  const may = useMay("config:write");
  const [call, show] = useTestCall(assistantId);
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const end = useRef<HTMLDivElement>(null);
  const carryOut = useCallback(async (ask: () => Promise<TestCall>) => {
    setBusy(true);
    setError(null);
    try {
      show(await ask());
      return true;
    } catch (cause) {
      setError(cause);
      return false;
    } finally {
      setBusy(false);
    }
  }, [show]);
  const thinking = call?.state === "thinking";
  useLooks(assistantId, call, thinking && !busy, show, setError);
  const lines = call?.interactions.length ?? 0;
  useEffect(() => {
    if (lines > 1) end.current?.scrollIntoView({ block: "nearest" });
  }, [lines]);
  if (!may) return null;
  const start = () => carryOut(() => answer(api.POST("/api/v1/assistants/{id}/test-calls", { params: { path: { id: assistantId } }, body: {} })));
  const say = async (event: FormEvent) => {
    event.preventDefault();
    if (call === null || busy || thinking) return;
    const message = { params: params(assistantId, call), body: { step: call.step, text: said } };
    if (await carryOut(() => answer(api.POST("/api/v1/assistants/{id}/test-calls/{call_id}/messages", message)))) setSaid("");
  };
  const stop = () => {
    if (call === null) return;
    void carryOut(() => answer(api.POST("/api/v1/assistants/{id}/test-calls/{call_id}/end", { params: params(assistantId, call) })));
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
        <ErrorBar error={error} />
        {over ? <NoteBar>{t("wizard.test.over")}</NoteBar> : null}
        {call === null || over ? null : (
          <form className="say" onSubmit={(event) => void say(event)}>
            <TextField label={t("wizard.test.say")} isRequired maxLength={MAX_CHARS} autoComplete="off" value={said} onChange={setSaid} />
            <Button type="submit" kind="primary" busy={busy || thinking} icon={<Send aria-hidden="true" />}>
              {t("wizard.test.send")}
            </Button>
          </form>
        )}
      </div>
    </Card>
  );
}
