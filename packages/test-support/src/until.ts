/**
 * Waits for a condition: calls `check` until it gives something truthy, and gives that back.
 * @throws Error naming `what` when `timeout_ms` have passed
 */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  timeout_ms = 10_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeout_ms;
  for (;;) {
    const value = await check();
    if (value) return value as NonNullable<T>;
    if (performance.now() > deadline) throw new Error(`Waited ${timeout_ms} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
