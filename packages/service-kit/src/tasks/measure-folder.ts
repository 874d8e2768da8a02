import type { FilePlane } from "@aieffect/data-plane-file";
import type { Logger } from "pino";
import { type Execution, idsOf } from "./execution.ts";

/** The bytes that a task's folder takes; a folder that cannot be looked into is logged and counts nothing. */
export async function measureFolder(
  folder: string | undefined,
  execution: Execution,
  { plane, log }: { plane: FilePlane; log: Logger },
): Promise<number> {
  if (folder === undefined) return 0;
  return plane.folderSize(folder).catch((error: unknown) => {
    log.error(
      { ...idsOf(execution), err: error, folder },
      "the size of a task's folder could not be found out; it counts as 0",
    );
    return 0;
  });
}
