import { HarnessFault } from "./stop.ts";

/** What later cases begin while an earlier one only waits. */
export interface Preparation {
  /** Waits for `wait`, with the preparations beside it the first time; resolves when both are over. */
  beside<T>(wait: () => Promise<T>): Promise<T>;
}

/**
 * Begins all of `begin` once, when a case waits for the first time.
 *
 * @param begin the preparations of those cases that have not run yet
 */
export function createPreparation(begin: () => readonly Promise<void>[]): Preparation {
  let begun: Promise<unknown> | undefined;
  return {
    async beside(wait) {
      // The case meets what went wrong again, when it runs.
      begun ??= Promise.all(begin().map((one) => one.catch(unlessHarnessFault)));
      const [value] = await Promise.all([wait(), begun]);
      return value;
    },
  };
}

function unlessHarnessFault(error: unknown): void {
  if (error instanceof HarnessFault) throw error;
}
