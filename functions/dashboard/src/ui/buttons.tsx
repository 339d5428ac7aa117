// Buttons are the browser's own: it knows press, focus and keys. What opens beside one of them is in over.tsx, and comes when it is wanted.

import { type ComponentProps, type KeyboardEvent, type PointerEvent, type FocusEvent, type MouseEvent, type ReactNode, type Ref, type RefObject, useEffect, useRef, useState } from "react";
import { useOver } from "./later";
import type { MenuContent, Placement } from "./over";

/** A tooltip is shown when the pointer has rested for so long, and stays for so long when it goes on to the tooltip. */
const TIP_AFTER_MS = 500;
const TIP_STAYS_MS = 300;

type Pressed = {
  /** Not while it is busy. */
  onPress?: (() => unknown) | undefined;
  isDisabled?: boolean | undefined;
};

type ButtonProps = Pressed &
  Pick<ComponentProps<"button">, "type" | "aria-label" | "aria-haspopup" | "aria-expanded" | "aria-pressed" | "onKeyDown"> & {
    kind?: "plain" | "primary" | "danger" | "quiet";
    busy?: boolean;
    icon?: ReactNode;
    /** For one that looks like no other. */
    className?: string;
    ref?: Ref<HTMLButtonElement>;
    children?: ReactNode;
  };

/** Some browsers give no focus to a button that is clicked: what it opens would not know to whom the focus goes back. */
function takeFocus({ currentTarget: button }: MouseEvent<HTMLButtonElement>): void {
  if (document.activeElement !== button) button.focus({ preventScroll: true });
}

/** A busy one stays where it is, keeps the focus, and does nothing. */
export function Button({ kind = "plain", className = `button ${kind}`, busy = false, icon, children, type = "button", isDisabled = false, onPress, ...rest }: ButtonProps) {
  const click = (event: MouseEvent<HTMLButtonElement>) => {
    takeFocus(event);
    if (busy) event.preventDefault();
    else onPress?.();
  };
  return (
    <button {...rest} type={type} className={className} disabled={isDisabled} {...(busy ? { "aria-disabled": true } : {})} onClick={click}>
      {busy ? <span className="spinner" aria-hidden="true" /> : icon}
      {children}
    </button>
  );
}

type IconButtonProps = Pressed & Partial<Opens> & { name: string; className?: string; children: ReactNode };

/** A button that shows only an icon; its name is said to screen readers and in a tooltip. */
export function IconButton({ name, className = "button quiet icon", isDisabled = false, onPress, ref, onKeyDown, children, ...rest }: IconButtonProps) {
  const own = useRef<HTMLButtonElement>(null);
  const button = ref ?? own;
  const [shown, setShown] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const over = useOver(shown);
  const show = (now: boolean, after = 0) => {
    clearTimeout(timer.current);
    if (after === 0) setShown(now);
    else timer.current = setTimeout(() => setShown(now), after);
  };
  return (
    <>
      <button
        {...rest}
        ref={button}
        type="button"
        className={className}
        aria-label={name}
        disabled={isDisabled}
        onClick={(event) => {
          takeFocus(event);
          show(false);
          onPress?.();
        }}
        onKeyDown={onKeyDown}
        onPointerEnter={({ pointerType }: PointerEvent) => (pointerType === "touch" ? undefined : show(true, TIP_AFTER_MS))}
        onPointerLeave={() => show(false, shown ? TIP_STAYS_MS : 0)}
        onFocus={({ currentTarget }: FocusEvent) => (currentTarget.matches(":focus-visible") ? show(true) : undefined)}
        onBlur={() => show(false)}
      >
        {children}
      </button>
      {over === null ? null : (
        <over.Tip trigger={button} isOpen={shown} onOpenChange={(now) => show(now)}>
          {name}
        </over.Tip>
      )}
    </>
  );
}

/** What a button needs that opens something: to be handed on to it. */
export type Opens = {
  ref: RefObject<HTMLButtonElement | null>;
  "aria-haspopup": "menu" | "dialog";
  "aria-expanded": boolean;
  onPress: () => void;
  onKeyDown?: (event: KeyboardEvent) => void;
};

type MenuButtonProps = MenuContent & { placement?: Placement; button: (opens: Opens) => ReactNode };

/** A button with a menu, which arrows open, too. */
export function MenuButton({ button, placement, ...menu }: MenuButtonProps) {
  const ref = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState<"first" | "last" | null>(null);
  const over = useOver(open !== null);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    setOpen(event.key === "ArrowDown" ? "first" : "last");
  };
  return (
    <>
      {button({ ref, "aria-haspopup": "menu", "aria-expanded": open !== null, onPress: () => setOpen("first"), onKeyDown })}
      {over === null ? null : <over.MenuBox {...menu} {...(placement === undefined ? {} : { placement })} trigger={ref} open={open} close={() => setOpen(null)} />}
    </>
  );
}

type PopButtonProps = { label: string; className: string; button: (opens: Opens) => ReactNode; children: (close: () => void) => ReactNode };

/** A button beside which something opens that is no menu. */
export function PopButton({ label, className, button, children }: PopButtonProps) {
  const ref = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const over = useOver(open);
  return (
    <>
      {button({ ref, "aria-haspopup": "dialog", "aria-expanded": open, onPress: () => setOpen(true) })}
      {over === null ? null : (
        <over.PopBox trigger={ref} label={label} className={className} isOpen={open} onOpenChange={setOpen}>
          {children(() => setOpen(false))}
        </over.PopBox>
      )}
    </>
  );
}

/** One of a few that are all seen; arrows lead from one to the next. */
export function Choice({ label, options, value, onChange }: { label: string; options: { id: string; label: string }[]; value: string; onChange: (id: string) => void }) {
  const group = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent, from: number) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const next = by === undefined ? undefined : options.at((from + by) % options.length);
    if (next === undefined) return;
    event.preventDefault();
    onChange(next.id);
    group.current?.querySelectorAll("button")[options.indexOf(next)]?.focus();
  };
  return (
    <div ref={group} className="label-filter" role="radiogroup" aria-label={label}>
      {options.map((option, at) => (
        <button
          key={option.id}
          type="button"
          role="radio"
          className="chip"
          aria-checked={option.id === value}
          tabIndex={option.id === value ? 0 : -1}
          onClick={() => onChange(option.id)}
          onKeyDown={(event) => move(event, at)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
