import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { CheckCircle2, Phone, Plus, XCircle } from "lucide-react";
import { useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useFormat } from "../../format";
import { useTranslation } from "../../i18n";
import { useMay, useMayEverywhere } from "../../session";
import { useTitle } from "../../shell/title";
import { Button, Card, Confirm, CopyButton, Empty, Modal, NoteBar, Paging, Select, TextField } from "../../ui";
import { Asked } from "../../ui/asked";
import { explain } from "../../ui/explain";
import { useSubmit } from "../../ui/submit";
import { toast } from "../../ui/toast";

type Number = Schema["PhoneNumber"];
type Diagnosis = Schema["PhoneNumberDiagnosis"];

/** The numbers that are answered, what each has to be set to at Twilio, and whether it is. */
export function PhoneNumbers() {
  const { t } = useTranslation();
  useTitle(t("numbers.title"));
  const may = useMayEverywhere("config:write");
  const [page, setPage] = useState(1);
  const [adding, setAdding] = useState(false);
  const numbers = useQuery({ ...queries.phoneNumbers(page), placeholderData: keepPreviousData });
  return (
    <main className="page" id="main">
      <div className="page-head">
        <h1>{t("numbers.title")}</h1>
        <span className="grow" />
        {may ? (
          <Button kind="primary" icon={<Plus aria-hidden="true" />} onPress={() => setAdding(true)}>
            {t("numbers.add")}
          </Button>
        ) : null}
      </div>
      <Asked
        query={numbers}
        lines={6}
        within="page"
        empty={
          <Empty icon={<Phone aria-hidden="true" />} title={t("numbers.none")}>
            {t("numbers.noneText")}
          </Empty>
        }
      >
        {(found) => (
          <>
            {found.items.map((number) => (
              <NumberCard key={number.id} number={number} may={may} />
            ))}
            {found.total > found.page_size ? <Paging page={found} onPage={setPage} /> : null}
          </>
        )}
      </Asked>
      <Modal title={t("numbers.add")} open={adding} onClose={() => setAdding(false)}>
        {adding ? <AddNumber close={() => setAdding(false)} /> : null}
      </Modal>
    </main>
  );
}

function useBusinessOptions(): { id: string; label: string }[] {
  const businesses = useQuery(queries.businesses());
  return (businesses.data?.items ?? []).map(({ id, name }) => ({ id, label: name }));
}

function NumberCard({ number, may }: { number: Number; may: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const businesses = useBusinessOptions();
  const [diagnosis, setDiagnosis] = useState<Diagnosis | null>(null);
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [open, setOpen] = useState<"edit" | "remove" | null>(null);
  const title = number.phone_number ?? t("numbers.unreadable");
  const params = { path: { id: number.id } };
  const check = async () => {
    setAsking(true);
    setError(null);
    try {
      setDiagnosis(await answer(api.POST("/api/v1/phone-numbers/{id}/doctor", { params })));
    } catch (cause) {
      setError(cause);
    } finally {
      setAsking(false);
    }
  };
  const remove = async () => {
    await answer(api.DELETE("/api/v1/phone-numbers/{id}", { params }));
    await client.invalidateQueries({ queryKey: ["phone-numbers"] });
    await client.invalidateQueries({ queryKey: ["setup"] });
  };
  const mayCheck = useMay("config:write");
  const actions = mayCheck ? (
    <span className="actions">
      <Button busy={asking} onPress={() => void check()}>
        {t("numbers.check")}
      </Button>
      {may ? (
        <>
          <Button onPress={() => setOpen("edit")}>{t("common.edit")}</Button>
          <Button kind="quiet" onPress={() => setOpen("remove")}>
            {t("numbers.remove")}
          </Button>
        </>
      ) : null}
    </span>
  ) : null;
  return (
    <Card title={title} actions={actions}>
      <div className="stack">
        <dl className="facts">
          <div>
            <dt>{t("calls.business")}</dt>
            <dd>{businesses.find(({ id }) => id === number.business_id)?.label ?? "…"}</dd>
          </div>
          <div>
            <dt>{t("numbers.since")}</dt>
            <dd>{format.date(number.created_at)}</dd>
          </div>
        </dl>
        {error === null ? null : <NoteBar tone="bad">{explain(t, error).text}</NoteBar>}
        {diagnosis === null ? null : <Doctor diagnosis={diagnosis} />}
        <Webhooks number={number} />
      </div>
      <Modal title={title} open={open === "edit"} onClose={() => setOpen(null)}>
        {open === "edit" ? <EditNumber number={number} close={() => setOpen(null)} /> : null}
      </Modal>
      <Confirm
        title={t("numbers.removeTitle", { number: title })}
        text={t("numbers.removeText")}
        action={t("numbers.remove")}
        open={open === "remove"}
        onClose={() => setOpen(null)}
        onConfirm={remove}
      />
    </Card>
  );
}

/** What to enter at Twilio, in the words of its console. */
function Webhooks({ number }: { number: Number }) {
  const { t } = useTranslation();
  const { voice_url: voice, fallback_url: fallback, status_callback_url: status } = number.webhooks;
  const rows = [
    ["A call comes in", voice],
    ["Primary handler fails", fallback],
    ["Call status changes", status],
  ] as const;
  return (
    <section className="stack tight-stack">
      <h3>{t("numbers.webhooks")}</h3>
      <p className="muted small">{t("numbers.webhooksText")}</p>
      {rows.map(([name, url]) => (
        <div key={name}>
          <span className="muted small" lang="en">
            {name}
          </span>
          <div className="secret">
            <code>{url}</code>
            <CopyButton text={url} />
          </div>
        </div>
      ))}
    </section>
  );
}

function Doctor({ diagnosis }: { diagnosis: Diagnosis }) {
  const { t } = useTranslation();
  return (
    <section className="stack tight-stack" aria-live="polite">
      <NoteBar tone={diagnosis.healthy ? "good" : "bad"}>{t(diagnosis.healthy ? "numbers.healthy" : "numbers.ill")}</NoteBar>
      <ul className="checklist wide">
        {diagnosis.checks.map(({ code, ok, found }) => (
          <li key={code} className={ok ? "good" : "bad"}>
            {ok ? <CheckCircle2 aria-label={t("numbers.good")} /> : <XCircle aria-label={t("numbers.bad")} />}
            <div>
              <span className="strong">{t(`numbers.code.${code}`)}</span>
              {ok ? null : (
                <>
                  <p>{t(`numbers.mend.${code}`)}</p>
                  {found == null ? null : (
                    <p className="muted small">
                      {t("numbers.found")} <code>{found}</code>
                    </p>
                  )}
                </>
              )}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function AddNumber({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const businesses = useBusinessOptions();
  const [number, setNumber] = useState("");
  const [business, setBusiness] = useState<string | null>(null);
  const chosen = business ?? businesses[0]?.id ?? "";
  const { submit, busy, error, wrong } = useSubmit(async () => {
    const body = { phone_number: number.trim(), business_id: chosen };
    await answer(api.POST("/api/v1/phone-numbers", { body }));
    await client.invalidateQueries({ queryKey: ["phone-numbers"] });
    await client.invalidateQueries({ queryKey: ["setup"] });
    toast(t("numbers.added"));
    close();
  });
  return (
    <form onSubmit={submit}>
      {error === null ? null : <NoteBar tone="bad">{explain(t, error).text}</NoteBar>}
      <TextField
        label={t("numbers.number")}
        type="tel"
        isRequired
        autoFocus
        hint={t("numbers.numberHint")}
        value={number}
        onChange={setNumber}
        wrong={wrong.get("phone_number")}
      />
      <Select label={t("numbers.answers")} options={businesses} value={chosen} onChange={setBusiness} wrong={wrong.get("business_id")} />
      <div className="actions">
        <Button onPress={close}>{t("common.cancel")}</Button>
        <Button type="submit" kind="primary" busy={busy}>
          {t("numbers.add")}
        </Button>
      </div>
    </form>
  );
}

function EditNumber({ number, close }: { number: Number; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const businesses = useBusinessOptions();
  const [business, setBusiness] = useState(number.business_id);
  const { submit, busy, error } = useSubmit(async () => {
    await answer(
      api.PUT("/api/v1/phone-numbers/{id}", {
        params: { path: { id: number.id } },
        headers: { "if-match": `"${number.version}"` },
        body: { business_id: business },
      }),
    );
    await client.invalidateQueries({ queryKey: ["phone-numbers"] });
    toast(t("common.saved"));
    close();
  });
  return (
    <form onSubmit={submit}>
      {error === null ? null : <NoteBar tone="bad">{explain(t, error).text}</NoteBar>}
      <Select label={t("numbers.answers")} options={businesses} value={business} onChange={setBusiness} />
      <div className="actions">
        <Button onPress={close}>{t("common.cancel")}</Button>
        <Button type="submit" kind="primary" busy={busy}>
          {t("common.save")}
        </Button>
      </div>
    </form>
  );
}
