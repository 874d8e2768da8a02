import type { FilePlane } from "@aieffect/data-plane-file";
import type { Logger } from "pino";

/** More are not counted one by one. */
const most = 10_000;

/**
 * Says in the log how many tasks have left a folder behind that a service without a lasting store
 * knows nothing of. They are left alone: other services may share the folder.
 */
export async function warnOfLeftovers(plane: FilePlane, data_dir: string, log: Logger): Promise<void> {
  try {
    const task_folders = await plane.countTaskFolders(most);
    if (task_folders === 0) return;
    log.warn(
      { data_dir, task_folders: task_folders === most ? `${most} or more` : task_folders },
      "expected no task folders in DATA_DIR at the start, found some: they are of an earlier life of this service, which its memory store has forgotten, or of other services; " +
        "remove those that nobody uses, or set TASK_STORE to a store that lasts, which removes them in time",
    );
  } catch (error) {
    log.warn(
      { err: error, data_dir },
      "expected DATA_DIR to be a folder that can be listed, found otherwise",
    );
  }
}
