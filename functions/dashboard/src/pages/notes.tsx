import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Form } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { answer, api, ApiFailure, type Schema } from "../api/client";
import { queries } from "../api/queries";
import { useFormat } from "../format";
import { useMay } from "../session";
import { Badge, Button, Card, Confirm, Failed, IconButton, Modal, NoteBar, Skeleton, TextField } from "../ui";
import { explain } from "../ui/explain";

type Note = Schema["Note"];

/** What people wrote down about a call. */
export function Notes({ callId }: { callId: string }) {
  const { t } = useTranslation();
  const may = useMay("calls:write");
  const notes = useQuery(queries.notes(callId));
  const [edited, setEdited] = useState<Note | "new" | null>(null);
  return (
    <Card
      title={t("notes.title")}
      actions={may ? <Button onPress={() => setEdited("new")}>{t("notes.add")}</Button> : undefined}
    >
      {notes.isError ? (
        <Failed error={notes.error} retry={() => void notes.refetch()} />
      ) : notes.data === undefined ? (
        <Skeleton />
      ) : notes.data.items.length === 0 ? (
        <p className="muted">{t("notes.none")}</p>
      ) : (
        <ul className="notes">
          {notes.data.items.map((note) => (
            <One key={note.id} note={note} may={may} edit={() => setEdited(note)} />
          ))}
        </ul>
      )}
      <Modal title={edited === "new" ? t("notes.add") : t("notes.edit")} open={edited !== null} onClose={() => setEdited(null)}>
        {edited === null ? null : <Editor callId={callId} note={edited === "new" ? null : edited} close={() => setEdited(null)} />}
      </Modal>
    </Card>
  );
}

function One({ note, may, edit }: { note: Note; may: boolean; edit: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const remove = async () => {
    const path = { id: note.call_id, note_id: note.id };
    await answer(api.DELETE("/api/v1/calls/{id}/notes/{note_id}", { params: { path } }));
    await client.invalidateQueries({ queryKey: queries.notes(note.call_id).queryKey });
  };
  return (
    <li>
      <p className="text">{note.body}</p>
      <div className="foot">
        {note.category == null ? null : <Badge tone="accent">{note.category}</Badge>}
        {note.tags.map((tag) => (
          <Badge key={tag}>{tag}</Badge>
        ))}
        <span className="muted small">{format.date(note.updated_at)}</span>
        {may ? (
          <span className="tools">
            <IconButton name={t("notes.edit")} onPress={edit}>
              <Pencil aria-hidden="true" />
            </IconButton>
            <IconButton name={t("notes.delete")} onPress={() => setAsking(true)}>
              <Trash2 aria-hidden="true" />
            </IconButton>
          </span>
        ) : null}
      </div>
      <Confirm title={t("notes.deleteTitle")} text={t("notes.deleteText")} action={t("notes.delete")} open={asking} onClose={() => setAsking(false)} onConfirm={remove} />
    </li>
  );
}

function Editor({ callId, note, close }: { callId: string; note: Note | null; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [body, setBody] = useState(note?.body ?? "");
  const [category, setCategory] = useState(note?.category ?? "");
  const [tags, setTags] = useState(note?.tags.join(", ") ?? "");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const wrong = error instanceof ApiFailure ? error.fields : new Map<string, string>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    const saved = { body, category: category.trim() || null, tags: tags.split(/[\s,]+/u).filter(Boolean) };
    try {
      await answer(
        note === null
          ? api.POST("/api/v1/calls/{id}/notes", { params: { path: { id: callId } }, body: saved })
          : api.PUT("/api/v1/calls/{id}/notes/{note_id}", {
              params: { path: { id: callId, note_id: note.id } },
              headers: { "if-match": `"${note.version}"` },
              body: saved,
            }),
      );
      await client.invalidateQueries({ queryKey: queries.notes(callId).queryKey });
      close();
    } catch (cause) {
      setError(cause);
      setBusy(false);
    }
  };
  return (
    <Form onSubmit={submit}>
      {error === null ? null : <NoteBar tone="bad">{explain(t, error).text}</NoteBar>}
      <TextField label={t("notes.body")} rows={5} isRequired autoFocus maxLength={4000} value={body} onChange={setBody} wrong={wrong.get("body")} />
      <TextField label={t("notes.category")} value={category} onChange={setCategory} wrong={wrong.get("category")} />
      <TextField label={t("notes.tags")} hint={t("notes.tagsHint")} value={tags} onChange={setTags} wrong={wrong.get("tags")} />
      <div className="actions">
        <Button onPress={close}>{t("common.cancel")}</Button>
        <Button type="submit" kind="primary" busy={busy}>
          {t("common.save")}
        </Button>
      </div>
    </Form>
  );
}
