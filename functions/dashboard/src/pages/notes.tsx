import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { answer, api, type Schema } from "../api/client";
import { queries } from "../api/queries";
import { useFormat } from "../format";
import { useTranslation } from "../i18n";
import { useMay, useMe } from "../session";
import { Badge, Button, Card, Choice, Confirm, Failed, IconButton, Skeleton, TextField } from "../ui";
import { EditForm, EditModal, useEditing } from "../ui/edit";
import { useSubmit } from "../ui/submit";

type Note = Schema["Note"];

/** Every category and tag that the notes have, in the order of the alphabet. */
export function labels(notes: readonly Note[]): string[] {
  const all = notes.flatMap(({ category, tags }) => (category == null ? tags : [category, ...tags]));
  return [...new Set(all)].sort((a, b) => a.localeCompare(b));
}

/** What people wrote down about a call. */
export function Notes({ callId }: { callId: string }) {
  const { t } = useTranslation();
  const may = useMay("calls:write");
  const notes = useQuery(queries.notes(callId));
  const editing = useEditing<Note>();
  const [only, setOnly] = useState<string | null>(null);
  const all = notes.data?.items ?? [];
  const known = labels(all);
  // What was looked for may have gone with its last note.
  const wanted = only !== null && known.includes(only) ? only : null;
  const shown = wanted === null ? all : all.filter(({ category, tags }) => category === wanted || tags.includes(wanted));
  return (
    <Card
      title={t("notes.title")}
      actions={may ? <Button onPress={editing.add}>{t("notes.add")}</Button> : undefined}
    >
      {notes.isError ? (
        <Failed error={notes.error} retry={() => void notes.refetch()} />
      ) : notes.data === undefined ? (
        <Skeleton />
      ) : notes.data.items.length === 0 ? (
        <p className="muted">{t("notes.none")}</p>
      ) : (
        <>
          {known.length < 2 ? null : <Labels known={known} wanted={wanted} choose={setOnly} />}
          <ul className="notes">
            {shown.map((note) => (
              <One key={note.id} note={note} may={may} edit={() => editing.edit(note)} />
            ))}
          </ul>
        </>
      )}
      <EditModal editing={editing} add={t("notes.add")} name={() => t("notes.edit")}>
        {(note) => <Editor callId={callId} note={note} close={editing.close} />}
      </EditModal>
    </Card>
  );
}

function Labels({ known, wanted, choose }: { known: string[]; wanted: string | null; choose: (label: string | null) => void }) {
  const { t } = useTranslation();
  const options = [{ id: "all", label: t("noteFilter.all") }, ...known.map((label) => ({ id: `=${label}`, label }))];
  return (
    <Choice
      label={t("noteFilter.label")}
      options={options}
      value={wanted === null ? "all" : `=${wanted}`}
      onChange={(id) => choose(id === "all" ? null : id.slice(1))}
    />
  );
}

function One({ note, may, edit }: { note: Note; may: boolean; edit: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const author = useAuthor()(note);
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
        <span className="muted small">
          {author === null ? null : `${author} · `}
          {format.date(note.updated_at)}
        </span>
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

/** Who wrote a note, for whoever may know. */
function useAuthor(): (note: Note) => string | null {
  const { t } = useTranslation();
  const me = useMe();
  const users = useQuery({ ...queries.users(1), enabled: useMay("users:read") }).data?.items ?? [];
  return ({ author }) => {
    if (author.id === me.user_id) return t("noteFilter.you");
    const user = users.find(({ id }) => id === author.id);
    return user === undefined ? null : user.name || user.email;
  };
}

function Editor({ callId, note, close }: { callId: string; note: Note | null; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const me = useMe();
  const all = useMay("departments:all");
  // As the API has it.
  const words = note === null || all || note.author.id === me.user_id;
  const [body, setBody] = useState(note?.body ?? "");
  const [category, setCategory] = useState(note?.category ?? "");
  const [tags, setTags] = useState(note?.tags.join(", ") ?? "");
  const form = useSubmit(async () => {
    const saved = { body, category: category.trim() || null, tags: tags.split(/[\s,]+/u).filter(Boolean) };
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
  });
  return (
    <EditForm form={form} close={close}>
      <TextField
        label={t("notes.body")}
        {...(words ? {} : { hint: t("notes.othersHint") })}
        rows={5}
        isRequired
        isReadOnly={!words}
        autoFocus
        maxLength={4000}
        value={body}
        onChange={setBody}
        wrong={form.wrong.get("body")}
      />
      <TextField label={t("notes.category")} value={category} onChange={setCategory} wrong={form.wrong.get("category")} />
      <TextField label={t("notes.tags")} hint={t("notes.tagsHint")} value={tags} onChange={setTags} wrong={form.wrong.get("tags")} />
    </EditForm>
  );
}
