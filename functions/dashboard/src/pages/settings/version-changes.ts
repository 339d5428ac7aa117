import { diffWordsWithSpace } from "diff";
import type { Schema } from "../../api/client";

type Settings = Schema["AssistantSettings"];

/** A piece of text that both versions have, or one of them. */
export type Piece = { text: string; of: "both" | "before" | "after" };
/** One setting that differs. */
export type Change = { field: keyof Settings; pieces: Piece[] };

/** What has words of its own is compared word by word. */
const PROSE: readonly (keyof Settings)[] = ["greeting", "instructions"];

function written(value: unknown): string {
  if (value == null) return "";
  return typeof value === "string" ? value : Array.isArray(value) ? value.join(", ") : JSON.stringify(value);
}

/** The settings that differ between two versions, in the order of their names. */
export function changes(before: Settings, after: Settings): Change[] {
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort() as (keyof Settings)[];
  return fields.flatMap((field) => {
    const [old, now] = [written(before[field]), written(after[field])];
    if (old === now) return [];
    if (!PROSE.includes(field)) return [{ field, pieces: [{ text: old, of: "before" as const }, { text: now, of: "after" as const }].filter(({ text }) => text !== "") }];
    const pieces = diffWordsWithSpace(old, now).map(({ value, added, removed }): Piece => ({ text: value, of: added ? "after" : removed ? "before" : "both" }));
    return [{ field, pieces }];
  });
}
