import { useQuery } from "@tanstack/react-query";
import { CheckboxGroup, Label } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { queries } from "../../api/queries";
import { useMay } from "../../session";
import { CheckBox } from "../../ui";

/** To which departments somebody belongs; nothing where there are none, or where they may not be known. */
export function DepartmentsField({ value, onChange, wrong }: { value: string[]; onChange: (ids: string[]) => void; wrong: string | undefined }) {
  const { t } = useTranslation();
  const departments = useQuery({ ...queries.departments(), enabled: useMay("departments:read") });
  if (departments.data === undefined || departments.data.items.length === 0) return null;
  return (
    <CheckboxGroup className="field" value={value} onChange={onChange}>
      <Label className="label">{t("agents.departments")}</Label>
      <div className="checks">
        {departments.data.items.map(({ id, name }) => (
          <CheckBox key={id} value={id}>
            {name}
          </CheckBox>
        ))}
      </div>
      {wrong === undefined ? null : <span className="wrong">{wrong}</span>}
    </CheckboxGroup>
  );
}
