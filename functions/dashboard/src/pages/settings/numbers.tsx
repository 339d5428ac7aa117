import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { CheckCircle2, Phone, XCircle } from "lucide-react";
import { useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useFormat } from "../../format";
import { useTranslation } from "../../i18n";
import { useMay, useMayEverywhere } from "../../session";
import { useTitle } from "../../shell/title";
import { Button, Card, Confirm, CopyButton, Empty, ErrorBar, NoteBar, PageHead, Paging, Select, TextField } from "../../ui";
import { Asked } from "../../ui/asked";
import { AddButton, EditForm, EditModal, useEditing } from "../../ui/edit";
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
  const editing = useEditing<Number>();
  const numbers = useQuery({ ...queries.phoneNumbers(page), placeholderData: keepPreviousData });
  return (
    <main className="page" id="main">
      <PageHead title={t("numbers.title")}>
        {may ? <AddButton label={t("numbers.add")} onPress={editing.add} /> : null}
      </PageHead>
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
              <NumberCard key={number.id} number={number} edit={may ? editing.edit : null} />
            ))}
            {found.total > found.page_size ? <Paging page={found} onPage={setPage} /> : null}
          </>
        )}
      </Asked>
      <EditModal editing={editing} add={t("numbers.add")} name={(number) => number.phone_number ?? t("numbers.unreadable")}>
        {(number) => (number === null ? <AddNumber close={editing.close} /> : <EditNumber number={number} close={editing.close} />)}
      </EditModal>
    </main>
  );
}

function useBusinessOptions(): { id: string; label: string }[] {
  const businesses = useQuery(queries.businesses());
  return (businesses.data?.items ?? []).map(({ id, name }) => ({ id, label: name }));
}

function NumberCard({ number, edit }: { number: Number; edit: ((number: Number) => void) | null }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const businesses = useBusinessOptions();
  const [diagnosis, setDiagnosis] = useState<Diagnosis | null>(null);
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [removing, setRemoving] = useState(false);
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
      {edit === null ? null : (
        <>
          <Button onPress={() => edit(number)}>{t("common.edit")}</Button>
          <Button kind="quiet" onPress={() => setRemoving(true)}>
            {t("numbers.remove")}
          </Button>
        </>
      )}
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
        <ErrorBar error={error} />
        {diagnosis === null ? null : <Doctor diagnosis={diagnosis} />}
        <Webhooks number={number} />
      </div>
      <Confirm
        title={t("numbers.removeTitle", { number: title })}
        text={t("numbers.removeText")}
        action={t("numbers.remove")}
        open={removing}
        onClose={() => setRemoving(false)}
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
  const form = useSubmit(async () => {
    const body = { phone_number: number.trim(), business_id: chosen };
    await answer(api.POST("/api/v1/phone-numbers", { body }));
    await client.invalidateQueries({ queryKey: ["phone-numbers"] });
    await client.invalidateQueries({ queryKey: ["setup"] });
    toast(t("numbers.added"));
    close();
  });
  return (
    <EditForm form={form} action={t("numbers.add")} close={close}>
      <TextField
        label={t("numbers.number")}
        type="tel"
        isRequired
        autoFocus
        hint={t("numbers.numberHint")}
        value={number}
        onChange={setNumber}
        wrong={form.wrong.get("phone_number")}
      />
      <Select label={t("numbers.answers")} options={businesses} value={chosen} onChange={setBusiness} wrong={form.wrong.get("business_id")} />
    </EditForm>
  );
}

function EditNumber({ number, close }: { number: Number; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const businesses = useBusinessOptions();
  const [business, setBusiness] = useState(number.business_id);
  const form = useSubmit(async () => {
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
    <EditForm form={form} close={close}>
      <Select label={t("numbers.answers")} options={businesses} value={business} onChange={setBusiness} />
    </EditForm>
  );
}
