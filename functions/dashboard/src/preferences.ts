// What the dashboard keeps of its layout with the user's preferences: it follows them to every device.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { inTurn } from "./api/in-turn";
import { savePreferences } from "./api/own";
import { queries } from "./api/queries";
import { useTranslation } from "./i18n";
import { explain } from "./ui/explain";
import { toast } from "./ui/toast";

/** One value of the layout, as it was kept (whatever that is: check it), and what keeps another one. */
export function useLayout(name: string): [unknown, (value: unknown) => Promise<void>] {
  const { t } = useTranslation();
  const client = useQueryClient();
  const known = useQuery(queries.preferences()).data;
  // The API's description says of it only that it is an object.
  const layout: Record<string, unknown> = known?.layout ?? {};
  const keep = async (value: unknown) => {
    const { queryKey } = queries.preferences();
    // Seen at once, and taken back should it not be kept.
    client.setQueryData(queryKey, (now) => now && { ...now, layout: { ...now.layout, [name]: value } as object as typeof now.layout });
    // What is being read is older than that.
    void client.cancelQueries({ queryKey });
    const write = async () => {
      const now = client.getQueryData(queryKey);
      if (now === undefined) return undefined;
      const body = { theme: now.theme ?? null, language: now.language ?? null, layout: now.layout };
      return savePreferences(body);
    };
    try {
      const saved = await inTurn("preferences", write);
      if (saved !== undefined) client.setQueryData(queryKey, saved);
    } catch (error) {
      toast(explain(t, error).text, "bad");
      await client.invalidateQueries({ queryKey });
    }
  };
  return [layout[name], keep];
}
