/** Bounds of what one submission may ask for; they keep a hostile document from exhausting the process. */
export const limits = {
  /** (container, operation) nodes of a blueprint. */
  nodes: 10_000,
  /** Connections of a blueprint. */
  connections: 100_000,
  /** Levels of nesting anywhere in a submission; deeper ones exhaust the stack of whoever walks them. */
  depth: 200,
} as const;

/** Whether a value is nested deeper than that. Level by level, because recursion is what it guards. */
export function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limits.depth) return true;
    const below: unknown[] = [];
    for (const member of level) {
      for (const child of Object.values(member as object)) {
        if (child !== null && typeof child === "object") below.push(child);
      }
    }
    level = below;
  }
  return false;
}
