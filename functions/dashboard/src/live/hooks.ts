import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { queries } from "../api/queries";
import type { Schema } from "../api/client";
import { type Envelope, mayNotify } from "./feed";
import { useMay } from "../session";
import { live, type Status } from "./socket";

/** Where there is no stream, or none for this person, the call that is looked at is asked for this often, */
const LOOK_MS = 5_000;
/** and all that are shown together: each card asks for itself, and a session has a hundred requests in a minute. */
const LOOK_AT_ALL_MS = 15_000;

type Interactions = Schema["Interactions"];

/** Whether the stream is open. */
export function useLiveStatus(): Status {
  return useSyncExternalStore(live.watch, () => live.status);
}

/**
 * Keeps what was asked of calls up to date by the stream, or by asking again where there is none, as long as the component is shown; `id`: of
 * this call only. What the stream tells is heard by the bell, too.
 */
export function useLiveCalls(enabled: boolean, id?: string): void {
  const client = useQueryClient();
  const may = useMay("live:read");
  const status = useLiveStatus();
  const asks = enabled && (!may || status === "unsupported" || status === "refused");
  useEffect(() => {
    if (!asks) return;
    const keys = id === undefined ? [["calls", "list"], ["calls", "interactions"]] : [queries.call(id).queryKey, queries.interactions(id).queryKey];
    const look = () => {
      for (const queryKey of keys) void client.invalidateQueries({ queryKey });
    };
    const timer = setInterval(look, id === undefined ? LOOK_AT_ALL_MS : LOOK_MS);
    return () => {
      clearInterval(timer);
      // The call is over: its last words may have come after they were asked for.
      if (id !== undefined) void client.invalidateQueries({ queryKey: queries.interactions(id).queryKey });
    };
  }, [client, asks, id]);
  useEffect(() => {
    if (!enabled || !may) return;
    const afresh = (call: string) => {
      void client.invalidateQueries({ queryKey: queries.call(call).queryKey });
      void client.invalidateQueries({ queryKey: ["calls", "list"] });
    };
    const bell = () => void client.invalidateQueries({ queryKey: ["notifications"] });
    const event = ({ call_id: call, event: happened }: Envelope) => {
      // Whichever call is looked at: the bell is for all.
      if (mayNotify(happened)) bell();
      if (id !== undefined && id !== call) return;
      if (happened.type === "interaction") {
        const { type: _, ...said } = happened;
        client.setQueryData<Interactions>(queries.interactions(call).queryKey, (known) => merged(known, said));
      } else if (happened.type === "connected") afresh(call);
      else if (happened.type === "ended") {
        afresh(call);
        void client.invalidateQueries({ queryKey: queries.interactions(call).queryKey });
      }
    };
    const resync = () => {
      void client.invalidateQueries({ queryKey: ["calls"] });
      bell();
    };
    return live.listen({ event, resync });
  }, [client, enabled, may, id]);
}

/** An entry that is new, or changed, at its place. What was not loaded yet is left to be loaded. */
export function merged(known: Interactions | undefined, said: Schema["Interaction"]): Interactions | undefined {
  if (known === undefined) return undefined;
  const items = known.items.filter(({ seq }) => seq !== said.seq);
  const at = items.findLastIndex(({ seq }) => seq < said.seq) + 1;
  return { ...known, items: items.toSpliced(at, 0, said) };
}
