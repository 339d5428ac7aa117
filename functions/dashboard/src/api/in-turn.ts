// What is written as a whole and changed again before the answer is there: columns that are ticked one after the other.

const writing = new Set<string>();
const again = new Set<string>();

/**
 * Has `what` written, one request at a time: while one is on its way, further calls have but one more follow it. `write` therefore reads
 * what is to be written when it runs. Resolves to the last answer for the call that sent them all, to `undefined` for those it sent for;
 * rejects, for the former only, with the first failure, after which nothing follows.
 */
export async function inTurn<A>(what: string, write: () => Promise<A>): Promise<A | undefined> {
  if (writing.has(what)) {
    again.add(what);
    return undefined;
  }
  writing.add(what);
  try {
    let written: A;
    do {
      again.delete(what);
      written = await write();
    } while (again.has(what));
    return written;
  } finally {
    writing.delete(what);
    again.delete(what);
  }
}
