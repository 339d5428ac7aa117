// A list whose members name what they are a part of, as a tree. Pure.

type Node = { id: string; name: string; parent_id?: string | null };
export type Branch<N> = { node: N; children: Branch<N>[] };

/** In the order of the list. What is a part of something that is not there (or not to be seen) stands at the top; nothing is shown twice. */
export function tree<N extends Node>(nodes: readonly N[]): Branch<N>[] {
  const known = new Set(nodes.map(({ id }) => id));
  const shown = new Set<string>();
  const grow = (parent: string | null): Branch<N>[] =>
    nodes.flatMap((node) => {
      const under = node.parent_id != null && known.has(node.parent_id) ? node.parent_id : null;
      if (under !== parent || shown.has(node.id)) return [];
      shown.add(node.id);
      return [{ node, children: grow(node.id) }];
    });
  const whole = grow(null);
  // A ring has no top: its members are shown all the same.
  return [...whole, ...nodes.filter(({ id }) => !shown.has(id)).map((node) => ({ node, children: [] }))];
}

/** A node and everything below it. */
export function below(nodes: readonly Node[], id: string): Set<string> {
  const found = new Set([id]);
  for (let grown = 0; grown !== found.size; ) {
    grown = found.size;
    for (const { id: node, parent_id: parent } of nodes) if (parent != null && found.has(parent)) found.add(node);
  }
  return found;
}

/** Every node with the names on the way to it. */
export function flat<N extends Node>(branches: readonly Branch<N>[], way: readonly string[] = []): { node: N; path: string[] }[] {
  return branches.flatMap(({ node, children }) => {
    const path = [...way, node.name];
    return [{ node, path }, ...flat(children, path)];
  });
}
