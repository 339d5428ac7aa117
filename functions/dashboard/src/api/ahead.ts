// What is asked before there is a cache of what was asked: its answers wait for that.

import type { Schema } from "./client";
import { queries } from "./queries";

type Query = { queryKey: readonly unknown[] };
type DataOf<Of> = Of extends { queryFn?: infer Run } ? (Run extends (...given: never[]) => infer Data ? Awaited<Data> : never) : never;

/** Asks for it, unless that was done just now, and gives what was answered. */
export type Ask = <Of extends Query>(query: Of) => Promise<DataOf<Of>>;

type Early = { query: Query; answered: Promise<unknown> };

const early = new Map<string, Early>();
/** Who is asked from the moment on when there is a cache. */
let heir: Ask | null = null;

export const askEarly: Ask = <Of extends Query>(query: Of) => {
  if (heir !== null) return heir(query);
  const key = JSON.stringify(query.queryKey);
  const known = early.get(key);
  if (known !== undefined) return known.answered as Promise<DataOf<Of>>;
  const { queryFn: run } = query as unknown as { queryFn: () => Promise<DataOf<Of>> };
  const answered = run();
  // Whoever shows it asks again, and tells what is wrong.
  answered.catch(() => undefined);
  early.set(key, { query, answered });
  return answered;
};

/** Who is signed in, and how they like it: for every page. */
export function askWho(ask: Ask): Promise<[Schema["Me"], unknown]> {
  return Promise.all([ask(queries.me()), ask(queries.preferences())]);
}

/** All that was asked until now; from now on `ask` is asked. */
export function handOver(ask: Ask): Early[] {
  heir = ask;
  return [...early.values()];
}
