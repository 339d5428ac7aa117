// The components of every page. Behaviour (focus, keyboard, screen readers) is React Aria's; looks are styles/ui.css (controls) and
// styles/surfaces.css (what holds and tells).

import { AlertTriangle, Check, CheckCircle2, ChevronDown, Copy, Inbox, Info, RotateCw, X } from "lucide-react";
import { type FocusEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import * as Aria from "react-aria-components";
import { useTranslation } from "react-i18next";
import { ApiFailure } from "../api/client";
import { explain } from "./explain";
import { toast } from "./toast";

type Tone = "neutral" | "good" | "warn" | "bad" | "info" | "accent";

export function Button({
  kind = "plain",
  busy = false,
  icon,
  children,
  ...rest
}: Omit<Aria.ButtonProps, "children" | "className"> & {
  kind?: "plain" | "primary" | "danger" | "quiet";
  busy?: boolean;
  icon?: ReactNode;
  children: ReactNode;
}) {
  return (
    <Aria.Button {...rest} isPending={busy} className={`button ${kind}`}>
      {busy ? <span className="spinner" aria-hidden="true" /> : icon}
      {children}
    </Aria.Button>
  );
}

/** A button that shows only an icon; its name is said to screen readers and in a tooltip. */
export function IconButton({
  name,
  children,
  ...rest
}: Omit<Aria.ButtonProps, "children" | "className"> & { name: string; children: ReactNode }) {
  return (
    <Aria.TooltipTrigger delay={500}>
      <Aria.Button {...rest} aria-label={name} className="button quiet icon">
        {children}
      </Aria.Button>
      <Tooltip>{name}</Tooltip>
    </Aria.TooltipTrigger>
  );
}

export function Tooltip({ children }: { children: ReactNode }) {
  return (
    <Aria.Tooltip offset={6} className="tooltip">
      {children}
    </Aria.Tooltip>
  );
}

/** What the API says of a field is shown, and stands in nobody's way: what the browser takes for invalid could not be sent again. */
const said = (wrong: string | undefined) => (wrong === undefined ? {} : { isInvalid: true, validationBehavior: "aria" as const });

type FieldProps = { label: string; hint?: string | undefined; wrong?: string | undefined };

export function TextField({
  label,
  hint,
  wrong,
  placeholder,
  rows,
  ...rest
}: Omit<Aria.TextFieldProps, "className" | "children"> &
  FieldProps & { placeholder?: string; rows?: number }) {
  const shared = { className: "input", ...(placeholder === undefined ? {} : { placeholder }) };
  return (
    <Aria.TextField {...rest} className="field" {...said(wrong)}>
      <Aria.Label className="label">{label}</Aria.Label>
      {rows === undefined ? <Aria.Input {...shared} /> : <Aria.TextArea {...shared} rows={rows} />}
      {hint === undefined ? null : (
        <Aria.Text slot="description" className="hint">
          {hint}
        </Aria.Text>
      )}
      <Aria.FieldError className="wrong">{wrong}</Aria.FieldError>
    </Aria.TextField>
  );
}

export type Option = { id: string; label: string };

type SelectProps = FieldProps & { options: Option[]; value: string; onChange: (id: string) => void; isDisabled?: boolean };

/**
 * One of a few. React Aria's takes as long to draw as twenty rows of a table, for the list that it prepares: until somebody wants that, a button that
 * looks and is read the same stands in its place.
 */
export function Select(props: SelectProps) {
  const [wanted, setWanted] = useState(false);
  return wanted ? <OpenedSelect {...props} /> : <SelectAtRest {...props} open={() => setWanted(true)} />;
}

function SelectAtRest({ label, options, value, wrong, hint, isDisabled = false, open }: SelectProps & { open: () => void }) {
  const id = useId();
  const about = [hint === undefined ? "" : `${id}-hint`, wrong === undefined ? "" : `${id}-wrong`].join(" ").trim();
  return (
    <div className="field" {...(wrong === undefined ? {} : { "data-invalid": true })}>
      <span className="label" id={`${id}-label`}>
        {label}
      </span>
      <button
        type="button"
        className="select-button"
        id={id}
        disabled={isDisabled}
        aria-haspopup="listbox"
        aria-expanded={false}
        aria-labelledby={`${id}-value ${id}-label`}
        {...(about === "" ? {} : { "aria-describedby": about })}
        {...(isDisabled ? { "data-disabled": true } : {})}
        onClick={open}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
          event.preventDefault();
          open();
        }}
      >
        <span className="value" id={`${id}-value`}>
          {options.find((option) => option.id === value)?.label}
        </span>
        <ChevronDown aria-hidden="true" />
      </button>
      {hint === undefined ? null : (
        <span className="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {wrong === undefined ? null : (
        <span className="wrong" id={`${id}-wrong`}>
          {wrong}
        </span>
      )}
    </div>
  );
}

/** Opens as soon as it is there. Its button has the focus first, so that it has it again when the list is closed. */
function OpenedSelect({ label, options, value, onChange, wrong, hint, isDisabled }: SelectProps) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    button.current?.focus();
    setOpen(true);
  }, []);
  return (
    <Aria.Select
      className="field"
      value={value}
      onChange={(key) => key !== null && onChange(String(key))}
      isOpen={open}
      onOpenChange={setOpen}
      {...said(wrong)}
      {...(isDisabled === undefined ? {} : { isDisabled })}
    >
      <Aria.Label className="label">{label}</Aria.Label>
      <Aria.Button className="select-button" ref={button}>
        <Aria.SelectValue className="value" />
        <ChevronDown aria-hidden="true" />
      </Aria.Button>
      {hint === undefined ? null : (
        <Aria.Text slot="description" className="hint">
          {hint}
        </Aria.Text>
      )}
      <Aria.FieldError className="wrong">{wrong}</Aria.FieldError>
      <Aria.Popover className="popover">
        <Options options={options} />
      </Aria.Popover>
    </Aria.Select>
  );
}

function Options({ options }: { options: Option[] }) {
  const { t } = useTranslation();
  return (
    <Aria.ListBox
      items={options}
      className="options"
      renderEmptyState={() => <div className="nothing">{t("common.noMatch")}</div>}
    >
      {(option: Option) => (
        <Aria.ListBoxItem id={option.id} textValue={option.label} className="option">
          {option.label}
        </Aria.ListBoxItem>
      )}
    </Aria.ListBox>
  );
}

/** What is typed takes the place of what was chosen; when the pointer has come up again, which sets the caret. */
function selectAll({ currentTarget: input }: FocusEvent<HTMLInputElement>): void {
  requestAnimationFrame(() => input.select());
}

/** `onType`: told what is typed, for options that are fetched. */
export function ComboBox({
  label,
  options,
  value,
  onChange,
  onType,
  wrong,
  hint,
  isDisabled = false,
}: FieldProps & { options: Option[]; value: string; onChange: (id: string) => void; onType?: (text: string) => void; isDisabled?: boolean }) {
  const { t } = useTranslation();
  return (
    <Aria.ComboBox
      className="field"
      defaultItems={options}
      value={value}
      onChange={(key) => key !== null && onChange(String(key))}
      allowsEmptyCollection
      isDisabled={isDisabled}
      {...(onType === undefined ? {} : { onInputChange: onType })}
      {...said(wrong)}
    >
      <Aria.Label className="label">{label}</Aria.Label>
      <div className="with-button">
        <Aria.Input className="input" onFocus={selectAll} />
        <Aria.Button className="button quiet icon" aria-label={t("common.showOptions")}>
          <ChevronDown aria-hidden="true" />
        </Aria.Button>
      </div>
      {hint === undefined ? null : (
        <Aria.Text slot="description" className="hint">
          {hint}
        </Aria.Text>
      )}
      <Aria.FieldError className="wrong">{wrong}</Aria.FieldError>
      <Aria.Popover className="popover">
        <Aria.ListBox
          className="options"
          renderEmptyState={() => <div className="nothing">{t("common.noMatch")}</div>}
        >
          {(option: Option) => (
            <Aria.ListBoxItem id={option.id} textValue={option.label} className="option">
              {option.label}
            </Aria.ListBoxItem>
          )}
        </Aria.ListBox>
      </Aria.Popover>
    </Aria.ComboBox>
  );
}

export function CheckBox({ children, ...rest }: Omit<Aria.CheckboxProps, "className" | "children"> & { children: ReactNode }) {
  return (
    <Aria.Checkbox {...rest} className="check">
      <span className="box" aria-hidden="true">
        <Check />
      </span>
      {children}
    </Aria.Checkbox>
  );
}

export function Badge({ tone = "neutral", pulse = false, children }: { tone?: Tone; pulse?: boolean; children: ReactNode }) {
  return <span className={`badge ${tone}${pulse ? " pulse" : ""}`}>{children}</span>;
}

export function Avatar({ name }: { name: string }) {
  const words = name.split(/[\s@._-]+/u).filter(Boolean);
  const letters = words.slice(0, 2).map((word) => [...word][0] ?? "");
  return (
    <span className="avatar" aria-hidden="true" data-letters={letters.join("").toLocaleUpperCase()} />
  );
}

export function Card({ title, actions, flush = false, children }: { title?: string; actions?: ReactNode; flush?: boolean; children: ReactNode }) {
  const id = useId();
  return (
    <section className="card" {...(title === undefined ? {} : { "aria-labelledby": id })}>
      {title === undefined ? null : (
        <header>
          <h2 id={id}>{title}</h2>
          {actions}
        </header>
      )}
      {flush ? children : <div className="body">{children}</div>}
    </section>
  );
}

export function NoteBar({ tone = "info", children }: { tone?: "info" | "bad" | "good" | "warn"; children: ReactNode }) {
  const Icon = tone === "good" ? CheckCircle2 : tone === "info" ? Info : AlertTriangle;
  return (
    <div className={`note-bar ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      <Icon aria-hidden="true" />
      <div>{children}</div>
    </div>
  );
}

export function Empty({ title, children, icon }: { title: string; children?: ReactNode; icon?: ReactNode }) {
  return (
    <div className="state">
      {icon ?? <Inbox aria-hidden="true" />}
      <h2>{title}</h2>
      {children === undefined ? null : <p>{children}</p>}
    </div>
  );
}

/** What went wrong in words of the reader's, a way on, and what support needs to know. */
export function Failed({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const { t } = useTranslation();
  const { title, text } = explain(t, error);
  const id = error instanceof ApiFailure ? error.requestId : null;
  return (
    <div className="state" role="alert">
      <AlertTriangle aria-hidden="true" />
      <h2>{title}</h2>
      <p>{text}</p>
      {id === null ? null : (
        <p className="small">
          {t("error.requestId")} <code>{id}</code>
        </p>
      )}
      {retry === undefined ? null : (
        <Button onPress={retry} icon={<RotateCw aria-hidden="true" />}>
          {t("common.tryAgain")}
        </Button>
      )}
    </div>
  );
}

/** Lines where text will be. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  const { t } = useTranslation();
  return (
    <div className="skeletons" role="status">
      <span className="visually-hidden">{t("common.loading")}</span>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} className="skeleton" aria-hidden="true" />
      ))}
    </div>
  );
}

/** Comes from the side, over what is there. */
export function Drawer({ label, open, setOpen, children }: { label: string; open: boolean; setOpen: (open: boolean) => void; children: ReactNode }) {
  return (
    <Aria.ModalOverlay isOpen={open} onOpenChange={setOpen} isDismissable className="veil">
      <Aria.Modal className="drawer">
        <Aria.Dialog aria-label={label}>{children}</Aria.Dialog>
      </Aria.Modal>
    </Aria.ModalOverlay>
  );
}

export function Modal({
  title,
  open,
  onClose,
  children,
  role = "dialog",
}: {
  title: string;
  open: boolean;
  onClose: () => void;
  children: ReactNode;
  role?: "dialog" | "alertdialog";
}) {
  return (
    <Aria.ModalOverlay isOpen={open} onOpenChange={(now) => !now && onClose()} isDismissable={role === "dialog"} className="veil">
      <Aria.Modal className="dialog">
        <Aria.Dialog role={role}>
          <Aria.Heading slot="title">{title}</Aria.Heading>
          {children}
        </Aria.Dialog>
      </Aria.Modal>
    </Aria.ModalOverlay>
  );
}

/** Asks before something that cannot be taken back; `danger`: or that destroys something. */
export function Confirm({
  title,
  text,
  action,
  danger = true,
  open,
  onClose,
  onConfirm,
}: {
  title: string;
  text: string;
  action: string;
  danger?: boolean;
  open: boolean;
  onClose: () => void;
  onConfirm: () => Promise<unknown>;
}) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const confirm = async () => {
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      onClose();
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal title={title} open={open} onClose={onClose} role="alertdialog">
      <p className="muted">{text}</p>
      {error === null ? null : <NoteBar tone="bad">{explain(t, error).text}</NoteBar>}
      <div className="actions">
        <Button onPress={onClose}>{t("common.cancel")}</Button>
        <Button kind={danger ? "danger" : "primary"} busy={busy} onPress={confirm}>
          {action}
        </Button>
      </div>
    </Modal>
  );
}

export function CopyButton({ text }: { text: string }) {
  const { t } = useTranslation();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast(t("common.copied"));
    } catch {
      toast(t("common.notCopied"), "bad");
    }
  };
  return (
    <IconButton name={t("common.copy")} onPress={copy}>
      <Copy aria-hidden="true" />
    </IconButton>
  );
}

/** Numbers of rows and the way to the pages beside this one. */
export function Paging({
  page,
  onPage,
}: {
  page: { page: number; page_size: number; total: number; total_capped: boolean; items: unknown[] };
  onPage: (page: number) => void;
}) {
  const { t } = useTranslation();
  const from = (page.page - 1) * page.page_size + 1;
  const to = from + page.items.length - 1;
  const more = page.total_capped || to < page.total;
  if (page.items.length === 0 && page.page === 1) return null;
  return (
    <nav className="paging" aria-label={t("common.pages")}>
      <span className="tabular">
        {t(page.total_capped ? "common.rangeOfMore" : "common.range", { from, to, total: page.total })}
      </span>
      <span className="actions">
        <Button isDisabled={page.page <= 1} onPress={() => onPage(page.page - 1)}>
          {t("common.previous")}
        </Button>
        <Button isDisabled={!more} onPress={() => onPage(page.page + 1)}>
          {t("common.next")}
        </Button>
      </span>
    </nav>
  );
}

/** A table that scrolls by itself where it is too wide, reachable with the keyboard. */
export function TableBox({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="table-wrap" role="region" aria-label={label} tabIndex={0}>
      <table className="table">{children}</table>
    </div>
  );
}

export function CloseButton({ onPress }: { onPress: () => void }) {
  const { t } = useTranslation();
  return (
    <IconButton name={t("common.close")} onPress={onPress}>
      <X aria-hidden="true" />
    </IconButton>
  );
}
