// What somebody may do to a call: step into it while it runs, take its transcript along when it is over.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Download, Pause, PenLine, PhoneOff, Play, Send } from "lucide-react";
import { type FormEvent, useState } from "react";
import { answer, api, download, type Schema } from "../api/client";
import { queries } from "../api/queries";
import { useTranslation } from "../i18n";
import { useMay } from "../session";
import { Button, Confirm, MenuButton, Modal, TextField } from "../ui";
import { EditForm } from "../ui/edit";
import { explain } from "../ui/explain";
import { useSubmit } from "../ui/submit";
import { toast } from "../ui/toast";
import { isRunning } from "./call-words";

const MAX_MESSAGE = 2_000;
const MAX_INSTRUCTIONS = 8_000;
const FORMATS = ["txt", "pdf", "json"] as const;

/** Whether the assistant was told to be silent, and not told since to go on. */
export function isPaused(items: readonly Schema["Interaction"][]): boolean {
  const last = items.findLast((entry) => entry.kind === "intervention" && (entry.action === "pause" || entry.action === "resume"));
  return last?.kind === "intervention" && last.action === "pause";
}

/** Steps into a call, and says what came of it. */
function useSteer(id: string): (body: Schema["Intervene"]) => Promise<void> {
  const { t } = useTranslation();
  const client = useQueryClient();
  return async (body) => {
    const done = await answer(api.POST("/api/v1/calls/{id}/intervene", { params: { path: { id } }, body }));
    toast(done.takes_effect === "next_turn" ? t("steer.nextTurn") : t(`steer.done.${done.action}`));
    await client.invalidateQueries({ queryKey: ["calls"] });
  };
}

export function Actions({ call }: { call: Schema["Call"] }) {
  const may = useMay("calls:write");
  return (
    <div className="actions">
      {!isRunning(call.status) ? <Export call={call} /> : may ? <Steering call={call} /> : null}
    </div>
  );
}

/** The assistant takes part only in calls that are connected; one that rings can be ended. */
function Steering({ call }: { call: Schema["Call"] }) {
  const { t } = useTranslation();
  const steer = useSteer(call.id);
  const paused = isPaused(useQuery(queries.interactions(call.id)).data?.items ?? []);
  const [asked, setAsked] = useState<"end" | "override" | null>(null);
  const [busy, setBusy] = useState(false);
  const toggle = async () => {
    setBusy(true);
    await steer({ action: paused ? "resume" : "pause" }).catch((error: unknown) => toast(explain(t, error).text, "bad"));
    setBusy(false);
  };
  return (
    <>
      {call.status === "in_progress" ? (
        <>
          <Button busy={busy} icon={paused ? <Play aria-hidden="true" /> : <Pause aria-hidden="true" />} onPress={() => void toggle()}>
            {t(paused ? "steer.resume" : "steer.pause")}
          </Button>
          <Button icon={<PenLine aria-hidden="true" />} onPress={() => setAsked("override")}>
            {t("steer.override")}
          </Button>
        </>
      ) : null}
      <Button kind="danger" icon={<PhoneOff aria-hidden="true" />} onPress={() => setAsked("end")}>
        {t("call.end")}
      </Button>
      <Confirm
        title={t("call.endTitle")}
        text={t("call.endText")}
        action={t("call.end")}
        open={asked === "end"}
        onClose={() => setAsked(null)}
        onConfirm={() => steer({ action: "end" })}
      />
      <Modal title={t("steer.overrideTitle")} open={asked === "override"} onClose={() => setAsked(null)}>
        <Instructions steer={steer} close={() => setAsked(null)} />
      </Modal>
    </>
  );
}

function Instructions({ steer, close }: { steer: (body: Schema["Intervene"]) => Promise<void>; close: () => void }) {
  const { t } = useTranslation();
  const [instructions, setInstructions] = useState("");
  const form = useSubmit(async () => {
    await steer({ action: "override", instructions });
    close();
  });
  return (
    <EditForm form={form} action={t("steer.override")} ready={instructions.trim() !== ""} close={close}>
      <p className="muted">{t("steer.overrideText")}</p>
      <TextField
        label={t("steer.instructions")}
        rows={7}
        isRequired
        autoFocus
        maxLength={MAX_INSTRUCTIONS}
        value={instructions}
        onChange={setInstructions}
      />
    </EditForm>
  );
}

/** A word to the assistant, below what is said. The caller does not hear it. */
export function Composer({ call }: { call: Schema["Call"] }) {
  const { t } = useTranslation();
  const may = useMay("calls:write");
  const steer = useSteer(call.id);
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  if (!may || call.status !== "in_progress") return null;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() === "" || busy) return;
    setBusy(true);
    try {
      await steer({ action: "message", text: text.trim() });
      setText("");
    } catch (error) {
      toast(explain(t, error).text, "bad");
    }
    setBusy(false);
  };
  return (
    <form className="composer" onSubmit={submit}>
      <TextField label={t("steer.message")} placeholder={t("steer.messageHint")} maxLength={MAX_MESSAGE} value={text} onChange={setText} />
      <Button type="submit" kind="primary" busy={busy} icon={<Send aria-hidden="true" />} isDisabled={text.trim() === ""}>
        {t("steer.send")}
      </Button>
    </form>
  );
}

function Export({ call }: { call: Schema["Call"] }) {
  const { t } = useTranslation();
  const save = async (format: string) => {
    try {
      await download(`/api/v1/calls/${call.id}/transcript?format=${format}`, `call-${call.id}.${format}`);
    } catch (error) {
      toast(explain(t, error).text, "bad");
    }
  };
  return (
    <MenuButton
      label={t("call.export")}
      placement="bottom end"
      entries={FORMATS.map((id) => ({ id, label: id === "txt" ? t("call.asText") : id.toUpperCase() }))}
      onAction={(format) => void save(format)}
      button={(opens) => (
        <Button {...opens} icon={<Download aria-hidden="true" />}>
          {t("call.export")}
        </Button>
      )}
    />
  );
}
