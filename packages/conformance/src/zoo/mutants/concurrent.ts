import { defineMutants } from "../mutant.ts";

/** Faults that cases of the profile concurrent have to catch. */
export const concurrentMutants = defineMutants({
  id: "status-404-for-200ms",
  breaks: "T04",
  code: "E_NOT_VISIBLE",
  summary: "registers a task 200 ms after it told the handle",
  fault(fired) {
    const known = new Map<string, number>();
    return {
      handle(_body, next) {
        const handle = next();
        known.set(handle, performance.now());
        return handle;
      },
      find(id, next) {
        if (performance.now() - (known.get(id) ?? 0) > 200) return next();
        fired();
        return undefined;
      },
    };
  },
});
