// What was asked of the API, in the place where it will be shown.

import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Card, Failed, Skeleton } from ".";

type Props<Data> = {
  query: UseQueryResult<Data>;
  /** Lines that stand there meanwhile. */
  lines?: number;
  /** What says that a list has nothing in it. */
  empty?: ReactNode;
  /** Where it stands: in a card that has no room of its own around, in one that has, or in none. */
  within?: "flush" | "card" | "page";
  children: (data: Data) => ReactNode;
};

/** A failure with a way to try again, lines where it will be, what says that there is nothing, or what there is. */
export function Asked<Data>({ query, lines = 3, empty, within = "flush", children }: Props<Data>) {
  const framed = (what: ReactNode) => (within === "page" ? <Card>{what}</Card> : what);
  if (query.isError) return framed(<Failed error={query.error} retry={() => void query.refetch()} />);
  if (query.data === undefined) {
    const skeleton = <Skeleton lines={lines} />;
    return framed(within === "flush" ? <div className="body">{skeleton}</div> : skeleton);
  }
  return empty !== undefined && isEmpty(query.data) ? framed(empty) : children(query.data);
}

function isEmpty(data: unknown): boolean {
  return typeof data === "object" && data !== null && "items" in data && Array.isArray(data.items) && data.items.length === 0;
}
