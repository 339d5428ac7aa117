// What is laid over a page: React Aria's, which knows where there is room for it, what the focus and the keyboard do meanwhile, and what screen
// readers are told. Nothing of this file is in the first load (later.ts).

import { ChevronDown } from "lucide-react";
import { type FocusEvent, type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import * as Aria from "react-aria-components";
import { useTranslation } from "../i18n";
import type { ComboBoxProps, Option, SelectProps } from "./fields";

/** Longer than between a key and the click that the browser makes of it. */
const KEY_MS = 1_000;

// A button that is pressed with a key is clicked by the browser. React Aria would take that for a screen reader's doing, move the focus only when what
// opens stands still, and lose the keys until then.
let pressed = Number.NEGATIVE_INFINITY;
const remember = ({ key, timeStamp }: KeyboardEvent) => {
  if (key === "Enter" || key === " ") pressed = timeStamp;
};
document.addEventListener("keydown", remember, true);
document.addEventListener("keyup", remember, true);
document.addEventListener(
  "click",
  ({ detail, timeStamp }) => {
    if (detail === 0 && timeStamp - pressed < KEY_MS) Aria.setInteractionModality("keyboard");
  },
  true,
);

/** Tells React Aria which language it speaks. */
export function Spoken({ children }: { children: ReactNode }) {
  return <Aria.I18nProvider locale={useTranslation().language}>{children}</Aria.I18nProvider>;
}

type Trigger = RefObject<HTMLElement | null>;
export type Placement = NonNullable<Aria.PopoverProps["placement"]>;

/** Says what something is called that shows only an icon. Escape closes it, wherever the focus is. */
export function Tip({ trigger, isOpen, onOpenChange, children }: { trigger: Trigger; isOpen: boolean; onOpenChange: (open: boolean) => void; children: ReactNode }) {
  useEffect(() => {
    if (!isOpen) return;
    const escape = (event: KeyboardEvent) => (event.key === "Escape" ? onOpenChange(false) : undefined);
    document.addEventListener("keydown", escape);
    return () => document.removeEventListener("keydown", escape);
  }, [isOpen, onOpenChange]);
  const state = { isOpen, shouldSkipAnimation: false, open: () => onOpenChange(true), close: () => onOpenChange(false) };
  return (
    <Spoken>
      <Aria.TooltipTriggerStateContext.Provider value={state}>
        <Aria.Tooltip triggerRef={trigger} offset={6} className="tooltip">
          {children}
        </Aria.Tooltip>
      </Aria.TooltipTriggerStateContext.Provider>
    </Spoken>
  );
}

export type MenuEntry = {
  id: string;
  label: string;
  icon?: ReactNode;
  /** It destroys something. */
  danger?: boolean;
};

export type MenuContent = {
  label: string;
  entries: MenuEntry[];
  /** Told which one was chosen. */
  onAction?: (id: string) => void;
  /** Where any number of them can be chosen: those that are, and who is told of others. */
  chosen?: string[];
  onChoose?: (ids: string[]) => void;
};

type MenuBoxProps = MenuContent & { trigger: Trigger; placement?: Placement; open: "first" | "last" | null; close: () => void };

export function MenuBox({ label, entries, onAction, chosen, onChoose, trigger, placement = "bottom start", open, close }: MenuBoxProps) {
  const many = chosen === undefined ? {} : { selectionMode: "multiple" as const, selectedKeys: chosen };
  const choose = (keys: Aria.Selection) => onChoose?.(keys === "all" ? entries.map(({ id }) => id) : [...keys].map(String));
  return (
    <Spoken>
      <Aria.Popover className="popover" placement={placement} triggerRef={trigger} trigger="MenuTrigger" isOpen={open !== null} onOpenChange={(now) => now || close()}>
        <Aria.Menu
          className="options"
          aria-label={label}
          autoFocus={open ?? true}
          onClose={close}
          onAction={(key) => onAction?.(String(key))}
          onSelectionChange={choose}
          {...many}
        >
          {entries.map(({ id, label: name, icon, danger = false }) => (
            <Aria.MenuItem key={id} id={id} textValue={name} className={`option${chosen === undefined ? "" : " ticked"}${danger ? " end" : ""}`}>
              {icon}
              {name}
            </Aria.MenuItem>
          ))}
        </Aria.Menu>
      </Aria.Popover>
    </Spoken>
  );
}

type PopBoxProps = { trigger: Trigger; label: string; className: string; isOpen: boolean; onOpenChange: (open: boolean) => void; children: ReactNode };

/** `className`: of what is in it; the box around has the same with `-popover`. */
export function PopBox({ trigger, label, className, isOpen, onOpenChange, children }: PopBoxProps) {
  return (
    <Spoken>
      <Aria.Popover className={`popover ${className}-popover`} placement="bottom start" triggerRef={trigger} isOpen={isOpen} onOpenChange={onOpenChange}>
        <Aria.Dialog aria-label={label} className={`${className}-box`}>
          {children}
        </Aria.Dialog>
      </Aria.Popover>
    </Spoken>
  );
}

export type OverlayProps = { isOpen: boolean; onOpenChange: (open: boolean) => void; children: ReactNode };

/** Comes from the side, over what is there. */
export function DrawerBox({ label, children, ...rest }: OverlayProps & { label: string }) {
  return (
    <Spoken>
      <Aria.ModalOverlay {...rest} isDismissable className="veil">
        <Aria.Modal className="drawer">
          <Aria.Dialog aria-label={label}>{children}</Aria.Dialog>
        </Aria.Modal>
      </Aria.ModalOverlay>
    </Spoken>
  );
}

export function ModalBox({ title, role, children, ...rest }: OverlayProps & { title: string; role: "dialog" | "alertdialog" }) {
  return (
    <Spoken>
      <Aria.ModalOverlay {...rest} isDismissable={role === "dialog"} className="veil">
        <Aria.Modal className="dialog">
          <Aria.Dialog role={role}>
            <Aria.Heading slot="title">{title}</Aria.Heading>
            {children}
          </Aria.Dialog>
        </Aria.Modal>
      </Aria.ModalOverlay>
    </Spoken>
  );
}

/** What the API says of a field is shown, and stands in nobody's way: what the browser takes for invalid could not be sent again. */
const said = (wrong: string | undefined) => (wrong === undefined ? {} : { isInvalid: true, validationBehavior: "aria" as const });

/** A list of options, opened as soon as it is there. Its button has the focus first, so that it has it again when the list is closed. */
export function SelectBox({ label, options, value, onChange, wrong, hint, isDisabled = false }: SelectProps) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    button.current?.focus();
    setOpen(true);
  }, []);
  return (
    <Spoken>
      <Aria.Select
        className="field"
        value={value}
        onChange={(key) => key !== null && onChange(String(key))}
        isOpen={open}
        onOpenChange={setOpen}
        isDisabled={isDisabled}
        {...said(wrong)}
      >
        <Aria.Label className="label">{label}</Aria.Label>
        <Aria.Button className="select-button" ref={button}>
          <Aria.SelectValue className="value" />
          <ChevronDown aria-hidden="true" />
        </Aria.Button>
        <About hint={hint} wrong={wrong} />
        <Aria.Popover className="popover">
          <Options options={options} />
        </Aria.Popover>
      </Aria.Select>
    </Spoken>
  );
}

/** What is typed takes the place of what was chosen; when the pointer has come up again, which sets the caret. */
function selectAll({ currentTarget: input }: FocusEvent<HTMLInputElement>): void {
  requestAnimationFrame(() => input.select());
}

/** Has the focus as soon as it is there; `opened`: its list is open, too. */
export function ComboBoxBox({ label, options, value, onChange, onType, wrong, hint, isDisabled = false, opened }: ComboBoxProps & { opened: boolean }) {
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  const [trigger, setTrigger] = useState<"focus" | "input">(opened ? "focus" : "input");
  useEffect(() => {
    input.current?.focus();
    setTrigger("input");
  }, []);
  return (
    <Spoken>
      <Aria.ComboBox
        className="field"
        defaultItems={options}
        value={value}
        onChange={(key) => key !== null && onChange(String(key))}
        allowsEmptyCollection
        menuTrigger={trigger}
        isDisabled={isDisabled}
        {...(onType === undefined ? {} : { onInputChange: onType })}
        {...said(wrong)}
      >
        <Aria.Label className="label">{label}</Aria.Label>
        <div className="with-button">
          <Aria.Input className="input" ref={input} onFocus={selectAll} />
          <Aria.Button className="button quiet icon" aria-label={t("common.showOptions")}>
            <ChevronDown aria-hidden="true" />
          </Aria.Button>
        </div>
        <About hint={hint} wrong={wrong} />
        <Aria.Popover className="popover">
          <Options />
        </Aria.Popover>
      </Aria.ComboBox>
    </Spoken>
  );
}

function About({ hint, wrong }: { hint: string | undefined; wrong: string | undefined }) {
  return (
    <>
      {hint === undefined ? null : (
        <Aria.Text slot="description" className="hint">
          {hint}
        </Aria.Text>
      )}
      <Aria.FieldError className="wrong">{wrong}</Aria.FieldError>
    </>
  );
}

/** A combo box says itself which of its options are shown. */
function Options({ options }: { options?: Option[] }) {
  const { t } = useTranslation();
  return (
    <Aria.ListBox {...(options === undefined ? {} : { items: options })} className="options" renderEmptyState={() => <div className="nothing">{t("common.noMatch")}</div>}>
      {(option: Option) => (
        <Aria.ListBoxItem id={option.id} textValue={option.label} className="option">
          {option.label}
        </Aria.ListBoxItem>
      )}
    </Aria.ListBox>
  );
}
