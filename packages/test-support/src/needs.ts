import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The recorded material beside a checkout; tests read it, nothing else does. */
const shared = fileURLToPath(new URL("../../../../shared/", import.meta.url));

/** A file or folder of the recorded material, or undefined where it is not at hand. */
export function fixturesOf(path: string): string | undefined {
  const full = `${shared}fixtures/${path}`;
  return existsSync(full) ? full : undefined;
}

/**
 * For `it.skipIf(needs(...))`: says loudly what a test misses, and fails instead of skipping where
 * AIEFFECT_NO_SKIP is set, as it is in `.ci/run`.
 *
 * @returns true when the test has to be skipped
 */
export function needs(what: string, found: unknown): boolean {
  if (found) return false;
  if (process.env.AIEFFECT_NO_SKIP) throw new Error(`This run may not skip tests, and ${what} is missing`);
  process.stderr.write(`\n*** SKIPPED: ${what} is missing ***\n`);
  return true;
}
