import { useQuery } from "@tanstack/react-query";
import { queries } from "../../api/queries";
import { useTranslation } from "../../i18n";
import { useMay } from "../../session";
import { CheckGroup } from "../../ui";

/** To which departments somebody belongs; nothing where there are none, or where they may not be known. */
export function DepartmentsField({ value, onChange, wrong }: { value: string[]; onChange: (ids: string[]) => void; wrong: string | undefined }) {
  const { t } = useTranslation();
  const departments = useQuery({ ...queries.departments(), enabled: useMay("departments:read") });
  if (departments.data === undefined || departments.data.items.length === 0) return null;
  const options = departments.data.items.map(({ id, name }) => ({ id, label: name }));
  return <CheckGroup label={t("agents.departments")} options={options} value={value} onChange={onChange} wrong={wrong} />;
}
