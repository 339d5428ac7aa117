// What lists of things that are added, changed and removed have in common: the table, the cell of a row's button, the dialog, and the form in it.

import { Plus } from "lucide-react";
import { type ComponentType, type ReactNode, useState } from "react";
import { Button, Confirm, ErrorBar, Modal, TableBox } from ".";
import { useTranslation } from "../i18n";
import type { useSubmit } from "./submit";

/** A table whose columns have these heads; `actions`: a last one has a button in each row, and a head for those only who do not see it. */
export function ListTable({ label, heads, actions = false, children }: { label: string; heads: string[]; actions?: boolean; children: ReactNode }) {
  const { t } = useTranslation();
  return (
    <TableBox label={label}>
      <thead>
        <tr>
          {heads.map((head) => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
          {actions ? (
            <th scope="col">
              <span className="visually-hidden">{t("common.actions")}</span>
            </th>
          ) : null}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </TableBox>
  );
}

/** The last cell of a row: a button that says to screen readers what it is `of`, or nothing for whoever may not. */
export function ActionCell({ label, of, onPress }: { label?: string; of: string; onPress: (() => void) | null }) {
  const { t } = useTranslation();
  const shown = label ?? t("common.edit");
  return (
    <td className="tight">
      {onPress === null ? null : (
        <Button kind="quiet" aria-label={`${shown}: ${of}`} onPress={onPress}>
          {shown}
        </Button>
      )}
    </td>
  );
}

/** The button of a page to which something can be added. */
export function AddButton({ label, icon: Icon = Plus, onPress }: { label: string; icon?: ComponentType<{ "aria-hidden": "true" }>; onPress: () => void }) {
  return (
    <Button kind="primary" icon={<Icon aria-hidden="true" />} onPress={onPress}>
      {label}
    </Button>
  );
}

/** `item`: what is changed; `null`: something new. It stays what it was while the dialog closes. */
type Edited<Item> = { open: boolean; item: Item | null };
export type Editing<Item> = Edited<Item> & { add: () => void; edit: (item: Item) => void; close: () => void };

/** What of a list is in a dialog, if anything is. */
export function useEditing<Item = never>(): Editing<Item> {
  const [edited, setEdited] = useState<Edited<Item>>({ open: false, item: null });
  const show = (item: Item | null) => setEdited({ open: true, item });
  return { ...edited, add: () => show(null), edit: show, close: () => setEdited((now) => ({ ...now, open: false })) };
}

type EditModalProps<Item> = {
  editing: Editing<Item>;
  /** What it is called: where something is new, and where something is changed. */
  add: string;
  name?: (item: Item) => string;
  children: (item: Item | null) => ReactNode;
};

/** The dialog of [useEditing]. What is in it is gone as soon as it begins to close: it may be a secret, and the next visit begins anew. */
export function EditModal<Item>({ editing: { open, item, close }, add, name, children }: EditModalProps<Item>) {
  return (
    <Modal title={item === null ? add : (name?.(item) ?? add)} open={open} onClose={close}>
      {open ? children(item) : null}
    </Modal>
  );
}

type EditFormProps = {
  form: ReturnType<typeof useSubmit>;
  /** What the button says that submits it. */
  action?: string;
  /** Whether there is enough to submit. */
  ready?: boolean;
  close: () => void;
  /** How that is removed which there is already, and what is asked before. */
  remove?: { title: string; text: string; run: () => Promise<unknown> } | null;
  children: ReactNode;
};

/** A form in a dialog: why it was refused, the fields, and what can be done with them. */
export function EditForm({ form, action, ready = true, close, remove = null, children }: EditFormProps) {
  const { t } = useTranslation();
  const [removing, setRemoving] = useState(false);
  return (
    <form onSubmit={form.submit}>
      <ErrorBar error={form.error} />
      {children}
      <div className="actions">
        {remove === null ? null : (
          <Button kind="quiet" onPress={() => setRemoving(true)}>
            {t("numbers.remove")}
          </Button>
        )}
        <Button onPress={close}>{t("common.cancel")}</Button>
        <Button type="submit" kind="primary" busy={form.busy} isDisabled={!ready}>
          {action ?? t("common.save")}
        </Button>
      </div>
      {remove === null ? null : (
        <Confirm
          title={remove.title}
          text={remove.text}
          action={t("numbers.remove")}
          open={removing}
          onClose={() => setRemoving(false)}
          onConfirm={remove.run}
        />
      )}
    </form>
  );
}

/** The end of a form on a page: nothing for whoever may only look. */
export function SaveActions({ may, busy, children }: { may: boolean; busy: boolean; children?: ReactNode }) {
  const { t } = useTranslation();
  if (!may) return null;
  return (
    <div className="actions">
      {children}
      <Button type="submit" kind="primary" busy={busy}>
        {t("common.save")}
      </Button>
    </div>
  );
}
