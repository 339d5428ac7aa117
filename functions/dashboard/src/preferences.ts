// What the dashboard keeps of its layout with the user's preferences: it follows them to every device.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { answer, api } from "./api/client";
import { queries } from "./api/queries";
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
    if (known === undefined) return;
    const changed = { ...known, layout: { ...layout, [name]: value } as object as typeof known.layout };
    // Seen at once, and taken back should it not be kept.
    client.setQueryData(queries.preferences().queryKey, changed);
    try {
      const body = { theme: known.theme ?? null, language: known.language ?? null, layout: changed.layout };
      client.setQueryData(queries.preferences().queryKey, await answer(api.PUT("/api/v1/preferences", { body })));
    } catch (error) {
      client.setQueryData(queries.preferences().queryKey, known);
      toast(explain(t, error).text, "bad");
    }
  };
  return [layout[name], keep];
}
