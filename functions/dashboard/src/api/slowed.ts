// The API has said that it was asked too much at once, and when it may be asked again.

let until: number | null = null;
const listeners = new Set<() => void>();

/** When requests go on that are held; `null`: none is held. */
export const slowed = {
  until: () => until,
  watch(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

function set(next: number | null): void {
  until = next;
  for (const listener of listeners) listener();
}

/** Done after so many milliseconds; until then it is known that something is held. */
export async function hold(ms: number): Promise<void> {
  // Whole ones: a timer takes no others, and would be over before the moment that is told.
  const wait = Math.ceil(ms);
  const mine = Date.now() + wait;
  if (until === null || until < mine) set(mine);
  await new Promise((resolve) => setTimeout(resolve, wait));
  // Unless somebody else is held for longer.
  if (until !== null && until <= mine) set(null);
}
