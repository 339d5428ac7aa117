import { useQuery } from "@tanstack/react-query";
import { queries } from "../../api/queries";
import { useTranslation } from "../../i18n";
import { Failed, Skeleton } from "../../ui";
import { changes } from "./version-changes";

/** What a version of an assistant has changed against the one before. */
export function VersionDifference({ assistantId, number }: { assistantId: string; number: number }) {
  const { t } = useTranslation();
  const before = useQuery({ ...queries.assistantVersion(assistantId, number - 1), enabled: number > 1 });
  const after = useQuery({ ...queries.assistantVersion(assistantId, number), enabled: number > 1 });
  if (number === 1) return <p className="muted">{t("versionDifference.first")}</p>;
  const failed = [before, after].find(({ isError }) => isError);
  if (failed !== undefined) return <Failed error={failed.error} retry={() => void failed.refetch()} />;
  if (before.data === undefined || after.data === undefined) return <Skeleton lines={4} />;
  const found = changes(before.data.settings, after.data.settings);
  if (found.length === 0) return <p className="muted">{t("versionDifference.none")}</p>;
  return (
    <dl className="difference">
      {found.map(({ field, pieces }) => (
        <div key={field}>
          <dt>{t(`versionDifference.${field}`)}</dt>
          <dd>
            {pieces.map(({ text, of }, at) => (
              // Pieces have no names: their place is theirs.
              of === "both" ? <span key={at}>{text}</span> : of === "before" ? <del key={at}>{text}</del> : <ins key={at}>{text}</ins>
            ))}
          </dd>
        </div>
      ))}
    </dl>
  );
}
