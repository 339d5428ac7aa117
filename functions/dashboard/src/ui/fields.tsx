// Fields of forms are the browser's own, and checked by it; what it says of them stands below each, as what the API says does. Lists of options are
// in over.tsx, and come when they are wanted: until then what stands in their place looks and is read the same.

import { Check, ChevronDown } from "lucide-react";
import { type ComponentProps, type FormEvent, type ReactNode, useId, useState } from "react";
import { useTranslation } from "../i18n";
import { useOver } from "./later";

type FieldProps = { label: string; hint?: string | undefined; wrong?: string | undefined };
type Typed = HTMLInputElement | HTMLTextAreaElement;

/** What belongs to a field: ids by which it is described, and what is below it. */
function useAbout({ hint, wrong }: Pick<FieldProps, "hint" | "wrong">) {
  const id = useId();
  const described = [hint === undefined ? "" : `${id}-hint`, wrong === undefined ? "" : `${id}-wrong`].join(" ").trim();
  const below = (
    <>
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
    </>
  );
  return { id, below, described: described === "" ? {} : { "aria-describedby": described }, invalid: wrong === undefined ? {} : { "data-invalid": true } };
}

/**
 * What the browser has against what was typed, from when the form was to be sent until it is right. The API's own word stands in nobody's way: what
 * the browser takes for invalid could not be sent again.
 */
function useValidity() {
  const [against, setAgainst] = useState("");
  const onInvalid = (event: FormEvent<Typed>) => {
    // It would say so in a bubble that goes away.
    event.preventDefault();
    const field = event.currentTarget;
    setAgainst(field.validationMessage);
    if (field.form?.querySelector("input:invalid, textarea:invalid") === field) field.focus();
  };
  const look = (field: Typed) => (against === "" ? undefined : setAgainst(field.validationMessage));
  return { against, onInvalid, look };
}

type TextFieldProps = FieldProps &
  Pick<ComponentProps<"input">, "type" | "name" | "inputMode" | "autoComplete" | "autoFocus" | "maxLength" | "minLength" | "placeholder" | "defaultValue" | "aria-label"> & {
    value?: string;
    onChange?: (text: string) => void;
    isRequired?: boolean;
    isReadOnly?: boolean;
    isDisabled?: boolean;
    /** Several lines. */
    rows?: number;
  };

export function TextField({ label, hint, wrong, rows, type = "text", onChange, isRequired = false, isReadOnly = false, isDisabled = false, ...rest }: TextFieldProps) {
  const { against, onInvalid, look } = useValidity();
  const { id, below, described, invalid } = useAbout({ hint, wrong: wrong ?? (against === "" ? undefined : against) });
  const shared = {
    ...rest,
    ...described,
    ...invalid,
    ...("data-invalid" in invalid ? { "aria-invalid": true } : {}),
    ...(isDisabled ? { "data-disabled": true } : {}),
    id,
    className: "input",
    required: isRequired,
    readOnly: isReadOnly,
    disabled: isDisabled,
    onInvalid,
    onChange: ({ currentTarget }: FormEvent<Typed>) => {
      look(currentTarget);
      onChange?.(currentTarget.value);
    },
  };
  return (
    <div className="field" {...invalid}>
      <label className="label" htmlFor={id}>
        {label}
      </label>
      {rows === undefined ? <input {...shared} type={type} /> : <textarea {...shared} rows={rows} />}
      {below}
    </div>
  );
}

type CheckBoxProps = {
  isSelected?: boolean;
  defaultSelected?: boolean;
  isDisabled?: boolean;
  onChange?: (on: boolean) => void;
  "aria-label"?: string;
  children?: ReactNode;
};

export function CheckBox({ isSelected, defaultSelected, isDisabled = false, onChange, children, ...rest }: CheckBoxProps) {
  return (
    <label className="check" {...(isDisabled ? { "data-disabled": true } : {})}>
      <input
        {...rest}
        type="checkbox"
        className="visually-hidden"
        disabled={isDisabled}
        {...(isSelected === undefined ? { defaultChecked: defaultSelected } : { checked: isSelected })}
        onChange={({ currentTarget }) => onChange?.(currentTarget.checked)}
      />
      <span className="box" aria-hidden="true">
        <Check />
      </span>
      {children}
    </label>
  );
}

type CheckGroupProps = FieldProps & { options: { id: string; label: ReactNode }[]; value: string[]; onChange: (ids: string[]) => void };

/** Any number of a few, in the order of the options. */
export function CheckGroup({ label, hint, wrong, options, value, onChange }: CheckGroupProps) {
  const { id, below, described } = useAbout({ hint, wrong });
  const choose = (changed: string, on: boolean) => onChange(options.flatMap(({ id: one }) => ((one === changed ? on : value.includes(one)) ? [one] : [])));
  return (
    <div className="field" role="group" aria-labelledby={`${id}-label`} {...described}>
      <span className="label" id={`${id}-label`}>
        {label}
      </span>
      <div className="checks">
        {options.map((option) => (
          <CheckBox key={option.id} isSelected={value.includes(option.id)} onChange={(on) => choose(option.id, on)}>
            {option.label}
          </CheckBox>
        ))}
      </div>
      {below}
    </div>
  );
}

export type Option = { id: string; label: string };

export type SelectProps = FieldProps & { options: Option[]; value: string; onChange: (id: string) => void; isDisabled?: boolean };

/** One of a few. */
export function Select(props: SelectProps) {
  const [wanted, setWanted] = useState(false);
  const over = useOver(wanted);
  return over === null ? <SelectAtRest {...props} open={() => setWanted(true)} /> : <over.SelectBox {...props} />;
}

function SelectAtRest({ label, options, value, wrong, hint, isDisabled = false, open }: SelectProps & { open: () => void }) {
  const { id, below, described, invalid } = useAbout({ hint, wrong });
  return (
    <div className="field" {...invalid}>
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
        {...described}
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
      {below}
    </div>
  );
}

/** `onType`: told what is typed, for options that are fetched. */
export type ComboBoxProps = SelectProps & { onType?: (text: string) => void };

/** One of many, found by what is typed. */
export function ComboBox(props: ComboBoxProps) {
  const [wanted, setWanted] = useState<"field" | "list" | null>(null);
  const over = useOver(wanted !== null);
  return over === null || wanted === null ? <ComboBoxAtRest {...props} want={setWanted} /> : <over.ComboBoxBox {...props} opened={wanted === "list"} />;
}

/** Whoever comes to the field is given the real one. */
function ComboBoxAtRest({ label, options, value, wrong, hint, isDisabled = false, want }: ComboBoxProps & { want: (what: "field" | "list") => void }) {
  const { t } = useTranslation();
  const { id, below, described, invalid } = useAbout({ hint, wrong });
  const state = { ...invalid, ...(isDisabled ? { "data-disabled": true } : {}) };
  return (
    <div className="field" {...state}>
      <label className="label" htmlFor={id}>
        {label}
      </label>
      <div className="with-button">
        <input
          {...described}
          {...state}
          className="input"
          id={id}
          role="combobox"
          aria-autocomplete="list"
          aria-haspopup="listbox"
          aria-expanded={false}
          {...("data-invalid" in invalid ? { "aria-invalid": true } : {})}
          readOnly
          disabled={isDisabled}
          value={options.find((option) => option.id === value)?.label ?? ""}
          onFocus={() => want("field")}
        />
        <button type="button" className="button quiet icon" tabIndex={-1} aria-label={t("common.showOptions")} disabled={isDisabled} onClick={() => want("list")}>
          <ChevronDown aria-hidden="true" />
        </button>
      </div>
      {below}
    </div>
  );
}
