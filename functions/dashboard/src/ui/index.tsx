// The components of every page. What holds and tells is here; buttons.tsx and fields.tsx have the controls, over.tsx what is laid over a page, which is
// React Aria's. Looks are styles/ui.css (controls) and styles/surfaces.css (what holds and tells).

import { AlertTriangle, CheckCircle2, Copy, Inbox, Info, RotateCw, X } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { ApiFailure } from "../api/client";
import { useTranslation } from "../i18n";
import { Button, IconButton } from "./buttons";
import { explain } from "./explain";
import { useOver } from "./later";
import { toast } from "./toast";

export { Button, Choice, IconButton, MenuButton, type Opens, PopButton } from "./buttons";
export type { MenuEntry } from "./over";
export { CheckBox, CheckGroup, ComboBox, type Option, Select, TextField } from "./fields";

type Tone = "neutral" | "good" | "warn" | "bad" | "info" | "accent";

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

/** What a page is called, and at its end what can be done there. */
export function PageHead({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="page-head">
      <h1>{title}</h1>
      {children === undefined ? null : <span className="grow" />}
      {children}
    </div>
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

/** What went wrong, in the reader's words; nothing where nothing did (`null`). */
export function ErrorBar({ error }: { error: unknown }) {
  const { t } = useTranslation();
  return error === null ? null : <NoteBar tone="bad">{explain(t, error).text}</NoteBar>;
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
  const over = useOver(open);
  if (over === null) return null;
  return (
    <over.DrawerBox label={label} isOpen={open} onOpenChange={setOpen}>
      {children}
    </over.DrawerBox>
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
  const over = useOver(open);
  if (over === null) return null;
  return (
    <over.ModalBox title={title} role={role} isOpen={open} onOpenChange={(now) => now || onClose()}>
      {children}
    </over.ModalBox>
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
      <ErrorBar error={error} />
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
