import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, RotateCcw, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { answer, api, type Schema } from "../api/client";
import { queries } from "../api/queries";
import { clock, useFormat } from "../format";
import { useTranslation } from "../i18n";
import { useMay, useMayEverywhere } from "../session";
import { useTitle } from "../shell/title";
import { Badge, Button, Card, Confirm, CopyButton, Empty, IconButton, PageHead, Paging, Select } from "../ui";
import { Asked } from "../ui/asked";
import { explain } from "../ui/explain";
import { toast } from "../ui/toast";
import { MESSAGE_STATES, messagesOf } from "./asked";

type Message = Schema["Message"];

/** What callers left, and whether somebody has dealt with it. */
export function Messages() {
  const { t } = useTranslation();
  useTitle(t("nav.messages"));
  const [url, setUrl] = useSearchParams();
  const query = messagesOf(url);
  const messages = useQuery({ ...queries.messages(query), placeholderData: keepPreviousData });
  const [asked, setAsked] = useState<Message | null>(null);
  const state = query.handled === undefined ? "" : query.handled ? "done" : "open";
  const go = (next: string, page = 1) => setUrl({ ...(next === "" ? {} : { state: next }), ...(page > 1 ? { page: String(page) } : {}) });
  const remove = useChange();
  return (
    <main className="page" id="main">
      <PageHead title={t("nav.messages")} />
      <div className="filters all">
        <Select
          label={t("messages.state")}
          options={[{ id: "", label: t("calls.any") }, ...MESSAGE_STATES.map((id) => ({ id: id as string, label: t(`messages.${id}`) }))]}
          value={state}
          onChange={(id) => go(id)}
        />
      </div>
      <Card flush>
        <Asked
          query={messages}
          lines={6}
          empty={<Empty title={t(state === "" ? "messages.none" : "messages.noneFound")}>{state === "" ? t("messages.noneText") : t("calls.noneFoundText")}</Empty>}
        >
          {(found) => (
            <>
              <ul className="messages">
                {found.items.map((message) => (
                  <One key={message.id} message={message} remove={() => setAsked(message)} />
                ))}
              </ul>
              <Paging page={found} onPage={(page) => go(state, page)} />
            </>
          )}
        </Asked>
      </Card>
      <Confirm
        title={t("messages.deleteTitle")}
        text={t("messages.deleteText")}
        action={t("messages.delete")}
        open={asked !== null}
        onClose={() => setAsked(null)}
        onConfirm={() => remove(() => (asked === null ? Promise.resolve() : answer(api.DELETE("/api/v1/messages/{id}", { params: { path: { id: asked.id } } }))))}
      />
    </main>
  );
}

/** Changes something about messages, and has them read again. */
function useChange(): (change: () => Promise<unknown>) => Promise<void> {
  const client = useQueryClient();
  return async (change) => {
    await change();
    await client.invalidateQueries({ queryKey: ["messages"] });
  };
}

function One({ message, remove }: { message: Message; remove: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const seesCalls = useMay("calls:read");
  const { id, kind, text, call_id: call, caller_name: name, callback_number: number, recording_ms: length, created_at: at, handled_at: handled } = message;
  return (
    <li>
      <div className="head">
        <strong>{name ?? t("messages.unknown")}</strong>
        {kind === "voicemail" ? <Badge tone="info">{t("messages.voicemail")}</Badge> : null}
        {handled == null ? null : <Badge tone="good">{t("messages.isDone")}</Badge>}
        {number == null ? null : (
          <span className="number tabular">
            {number}
            <CopyButton text={number} />
          </span>
        )}
        <span className="grow" />
        <span className="muted small">{format.date(at)}</span>
      </div>
      <p className="text">{text !== "" ? text : length == null ? t("messages.recorded") : t("messages.recording", { length: clock(length) })}</p>
      <div className="foot">
        {seesCalls ? (
          <Link className="small" to={`/calls/${call}`}>
            {t("messages.call")}
          </Link>
        ) : null}
        <span className="grow" />
        <Tools id={id} done={handled != null} remove={remove} />
      </div>
    </li>
  );
}

function Tools({ id, done, remove }: { id: string; done: boolean; remove: () => void }) {
  const { t } = useTranslation();
  const may = useMay("messages:write");
  // As the API has it.
  const mayDelete = useMayEverywhere("messages:write");
  const change = useChange();
  const [busy, setBusy] = useState(false);
  if (!may) return null;
  const set = async (handled: boolean) => {
    setBusy(true);
    try {
      await change(() => answer(api.PATCH("/api/v1/messages/{id}", { params: { path: { id } }, body: { handled } })));
    } catch (error) {
      toast(explain(t, error).text, "bad");
    }
    setBusy(false);
  };
  return (
    <>
      <Button busy={busy} icon={done ? <RotateCcw aria-hidden="true" /> : <Check aria-hidden="true" />} onPress={() => void set(!done)}>
        {t(done ? "messages.reopen" : "messages.markDone")}
      </Button>
      {mayDelete ? (
        <IconButton name={t("messages.delete")} onPress={remove}>
          <Trash2 aria-hidden="true" />
        </IconButton>
      ) : null}
    </>
  );
}
