import { useTranslation } from "../../i18n";
import type { Keeping as State } from "./kept";

/** Whether what was entered outlives the visit. */
export function Keeping({ keeping }: { keeping: State }) {
  const { t } = useTranslation();
  return (
    <span className="muted small keeping" role="status">
      {keeping === "idle" ? "" : t(`wizard.keeping.${keeping}`)}
    </span>
  );
}
