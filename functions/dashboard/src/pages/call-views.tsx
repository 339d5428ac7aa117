// Views that were kept: a name for filters, an order and columns. The address says which one is open, and what is different by now.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Bookmark, Ellipsis, Users } from "lucide-react";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { answer, api, type Schema } from "../api/client";
import { inTurn } from "../api/in-turn";
import { queries } from "../api/queries";
import { useTranslation } from "../i18n";
import { useMe } from "../session";
import { Button, CheckBox, Confirm, IconButton, MenuButton, Modal, TextField } from "../ui";
import { EditForm } from "../ui/edit";
import { explain } from "../ui/explain";
import { useSubmit } from "../ui/submit";
import { toast } from "../ui/toast";
import { asked, dayOf } from "./call-query";
import type { Column } from "./call-table";

type View = Schema["SavedView"];
/** The API's description says of them only that they are an object. */
type Filters = NonNullable<Schema["SaveView"]["filters"]>;

/** The filters of an address, as the API keeps them with a view. */
export function filtersOf(url: URLSearchParams): Filters {
  const { sort: _, page: __, page_size: ___, ...filters } = asked(url);
  return filters as object as Filters;
}

/** The address of a view. Days are those of the reader's time zone. */
export function addressOf({ id, filters, sort }: Pick<View, "id" | "sort"> & { filters: unknown }): URLSearchParams {
  const url = new URLSearchParams();
  const kept = (filters ?? {}) as Record<string, unknown>;
  for (const [name, at] of [["q", "q"], ["status", "status"], ["direction", "direction"], ["business_id", "business"], ["from", "from"], ["to", "to"]] as const) {
    const value = kept[name];
    if (typeof value === "string") url.set(at, value);
  }
  if (typeof kept.since === "number" && typeof kept.until === "number") {
    url.set("since", dayOf(kept.since));
    url.set("until", dayOf(kept.until - 1));
  }
  if (sort != null && sort !== "newest") url.set("sort", sort);
  url.set("view", id);
  return url;
}

const same = (one: URLSearchParams, other: URLSearchParams) => {
  const text = (url: URLSearchParams) => JSON.stringify([Object.entries(filtersOf(url)).sort(), asked(url).sort ?? "newest"]);
  return text(one) === text(other);
};

/** The view that the address names. */
export function useView(url: URLSearchParams): View | undefined {
  const views = useQuery(queries.views()).data?.items ?? [];
  return views.find(({ id, noun }) => noun === "calls" && id === url.get("view"));
}

/** All views, and what can be done with the one that is open. */
export function Views({ url, columns, filtered }: { url: URLSearchParams; columns: Column[]; filtered: boolean }) {
  const { t } = useTranslation();
  const me = useMe();
  const views = (useQuery(queries.views()).data?.items ?? []).filter(({ noun }) => noun === "calls");
  const open = useView(url);
  const [saving, setSaving] = useState(false);
  if (views.length === 0 && !filtered) return null;
  const changed = open !== undefined && !same(url, addressOf(open));
  return (
    <nav className="views" aria-label={t("views.title")}>
      <Link to="/calls" className="chip" {...(open === undefined && !filtered ? { "aria-current": "page" as const } : {})}>
        {t("views.all")}
      </Link>
      {views.map((view) => (
        <Link key={view.id} to={`/calls?${addressOf(view)}`} className="chip" {...(view.id === open?.id ? { "aria-current": "page" as const } : {})}>
          {view.name}
          {view.shared ? <Users role="img" aria-label={t("views.shared")} /> : null}
        </Link>
      ))}
      {open !== undefined && open.user_id === me.user_id ? <Options view={open} url={url} columns={columns} changed={changed} /> : null}
      {filtered && (open === undefined || changed) ? (
        <Button kind="quiet" icon={<Bookmark aria-hidden="true" />} onPress={() => setSaving(true)}>
          {t("views.save")}
        </Button>
      ) : null}
      <Modal title={t("views.saveTitle")} open={saving} onClose={() => setSaving(false)}>
        <Editor url={url} columns={columns} close={() => setSaving(false)} />
      </Modal>
    </nav>
  );
}

function write({ id, version, name, noun, shared, filters, columns, sort }: View, changed: Partial<Schema["SaveView"]> = {}): Promise<View> {
  return answer(
    api.PUT("/api/v1/saved-views/{id}", {
      params: { path: { id }, header: { "If-Match": `"${version}"` } },
      body: { name, noun, shared, filters, columns, sort: sort ?? null, ...changed },
    }),
  );
}

/** Writes a view as it is to be, and has all of them read again. */
function useSave(): (view: View, changed: Partial<Schema["SaveView"]>) => Promise<void> {
  const client = useQueryClient();
  return async (view, changed) => {
    await write(view, changed);
    await client.invalidateQueries({ queryKey: queries.views().queryKey });
  };
}

/** Keeps other columns with one's own view: they are seen at once, and taken back should they not be kept. */
export function useSaveColumns(): (view: View, columns: Column[]) => Promise<void> {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { queryKey } = queries.views();
  return async ({ id }, columns) => {
    const change = (changed: Partial<View>) =>
      client.setQueryData(queryKey, (all) => all && { ...all, items: all.items.map((one) => (one.id === id ? { ...one, ...changed } : one)) });
    change({ columns });
    // What is being read is older than that.
    void client.cancelQueries({ queryKey });
    try {
      const saved = await inTurn(`saved-view ${id}`, async () => {
        const now = client.getQueryData(queryKey)?.items.find((one) => one.id === id);
        if (now === undefined) return undefined;
        const { version } = await write(now);
        // The next write is meant for what this one made of the view.
        change({ version });
        return version;
      });
      if (saved !== undefined) await client.invalidateQueries({ queryKey });
    } catch (error) {
      toast(explain(t, error).text, "bad");
      await client.invalidateQueries({ queryKey });
    }
  };
}

function Options({ view, url, columns, changed }: { view: View; url: URLSearchParams; columns: Column[]; changed: boolean }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const save = useSave();
  const [open, setOpen] = useState<"rename" | "delete" | null>(null);
  const change = async (what: Partial<Schema["SaveView"]>) => {
    try {
      await save(view, what);
      toast(t("views.saved"));
    } catch (error) {
      toast(explain(t, error).text, "bad");
    }
  };
  const remove = async () => {
    await answer(api.DELETE("/api/v1/saved-views/{id}", { params: { path: { id: view.id } } }));
    await navigate("/calls");
    await client.invalidateQueries({ queryKey: queries.views().queryKey });
  };
  const act = (key: string) => {
    if (key === "rename" || key === "delete") setOpen(key);
    else if (key === "share") void change({ shared: !view.shared });
    else void change({ filters: filtersOf(url), sort: asked(url).sort ?? null, columns });
  };
  return (
    <>
      {changed ? <Button onPress={() => act("update")}>{t("views.update")}</Button> : null}
      <MenuButton
        label={t("views.options")}
        entries={[
          { id: "rename", label: t("views.rename") },
          { id: "share", label: t(view.shared ? "views.makePrivate" : "views.makeShared") },
          { id: "delete", label: t("views.delete"), danger: true },
        ]}
        onAction={act}
        button={(opens) => (
          <IconButton {...opens} name={t("views.options")}>
            <Ellipsis aria-hidden="true" />
          </IconButton>
        )}
      />
      <Modal title={t("views.renameTitle")} open={open === "rename"} onClose={() => setOpen(null)}>
        <Editor view={view} url={url} columns={columns} close={() => setOpen(null)} />
      </Modal>
      <Confirm
        title={t("views.deleteTitle", { name: view.name })}
        text={t("views.deleteText")}
        action={t("views.delete")}
        open={open === "delete"}
        onClose={() => setOpen(null)}
        onConfirm={remove}
      />
    </>
  );
}

/** The name of a view that is new, or of one that gets another. */
function Editor({ view, url, columns, close }: { view?: View; url: URLSearchParams; columns: Column[]; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const save = useSave();
  const [name, setName] = useState(view?.name ?? "");
  const [shared, setShared] = useState(view?.shared ?? false);
  const make = async () => {
    const body = { name, noun: "calls" as const, shared, filters: filtersOf(url), columns, sort: asked(url).sort ?? null };
    const made = await answer(api.POST("/api/v1/saved-views", { body }));
    await client.invalidateQueries({ queryKey: queries.views().queryKey });
    await navigate(`/calls?${addressOf(made)}`);
  };
  const form = useSubmit(async () => {
    await (view === undefined ? make() : save(view, { name, shared }));
    toast(t("views.saved"));
    close();
  });
  return (
    <EditForm form={form} close={close}>
      <TextField label={t("views.name")} isRequired autoFocus maxLength={100} value={name} onChange={setName} wrong={form.wrong.get("name")} />
      <CheckBox isSelected={shared} onChange={setShared}>
        {t("views.share")}
      </CheckBox>
    </EditForm>
  );
}
