import { useQuery } from "@tanstack/react-query";
import { PhoneIncoming } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useNavigate } from "react-router";
import { queries } from "../api/queries";
import { useTranslation } from "../i18n";
import { useTitle } from "../shell/title";
import { ring, scenarios } from "../simulator";
import { Button, Card, Empty, Failed, NoteBar, PageHead, Select, Skeleton } from "../ui";

/** Where nobody has chosen anything yet. */
const FIRST = "greeting-and-booking";

/** Under `cargo xtask dev`: a caller who follows a script, to be watched like any other. */
export function SimulatedCall({ url }: { url: string }) {
  const { t } = useTranslation();
  useTitle(t("simulator.title"));
  return (
    <main className="page narrow" id="main">
      <PageHead title={t("simulator.title")} />
      <RingCard url={url} />
    </main>
  );
}

/** Whom to ring, and who rings. Rung, it leads to the live calls. */
export function RingCard({ url }: { url: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const numbers = useQuery(queries.phoneNumbers(1));
  const known = useQuery({ queryKey: ["simulator", url], queryFn: () => scenarios(url) });
  const [to, setTo] = useState<string | null>(null);
  const [name, setName] = useState(FIRST);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const failure = numbers.isError ? numbers : known.isError ? known : null;
  if (failure !== null) {
    return (
      <Card>
        <Failed error={failure.error} retry={() => void failure.refetch()} />
      </Card>
    );
  }
  if (numbers.data === undefined || known.data === undefined) {
    return (
      <Card>
        <Skeleton lines={4} />
      </Card>
    );
  }
  const rung = numbers.data.items.flatMap(({ phone_number: number }) => (number == null ? [] : [number]));
  const chosen = to ?? rung[0];
  if (chosen === undefined) {
    return (
      <Card>
        <Empty icon={<PhoneIncoming aria-hidden="true" />} title={t("numbers.none")}>
          {t("simulator.noNumber")}
        </Empty>
      </Card>
    );
  }
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setFailed(false);
    try {
      await ring(url, name, chosen);
      await navigate("/live");
    } catch {
      setFailed(true);
      setBusy(false);
    }
  };
  return (
    <Card title={t("simulator.card")}>
      <form className="stack" onSubmit={submit}>
        <p className="muted">{t("simulator.text")}</p>
        {failed ? <NoteBar tone="bad">{t("simulator.failed")}</NoteBar> : null}
        <div className="form-grid">
          <Select label={t("simulator.to")} options={rung.map((id) => ({ id, label: id }))} value={chosen} onChange={setTo} />
          <Select
            label={t("simulator.scenario")}
            options={known.data.map(({ name: id }) => ({ id, label: id }))}
            value={name}
            onChange={setName}
            hint={known.data.find((scenario) => scenario.name === name)?.about}
          />
        </div>
        <div className="actions">
          <Button type="submit" kind="primary" busy={busy} icon={<PhoneIncoming aria-hidden="true" />}>
            {t("simulator.ring")}
          </Button>
        </div>
      </form>
    </Card>
  );
}
