import { Untestable } from "../engine/stop.ts";

/** What is asked for, such as a sample, or undefined where the manifest does not have it. */
export function optional<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof Untestable) return undefined;
    throw error;
  }
}
