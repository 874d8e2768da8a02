import { rmdir } from "node:fs/promises";
import type { FilePlane } from "@aieffect/data-plane-file";
import type { Logger } from "pino";
import { markOf } from "../stores/folder-mark.ts";
import type { TaskStore } from "../stores/task-store.ts";

/** What notes of folders need of the service around them. */
export interface NotedParts {
  store: TaskStore;
  plane: FilePlane;
  log: Logger;
}

/** The mark of a folder that is about to be made: it is empty, if it is there at all. */
const unmade = "unmade";

/** The folders of one task or upload, until the store knows it: a process that dies meanwhile leaves their names behind. */
export interface NotedFolders {
  /** Notes a folder that is not there, just before it is made; undefined where nothing is noted. @throws as `note` */
  readonly plan: ((folder: string) => Promise<void>) | undefined;
  /** Notes a folder that was just made. @throws ControlError `store_unavailable`, `storage_full` */
  note(folder: string): Promise<void>;
  /** Forgets one that has a task now. False when it was taken for a dead process's meanwhile, and is no more. */
  keep(folder: string): Promise<boolean>;
  /** Forgets those that are not there any more, or were only planned; what could not be removed is tried again after the next start. */
  forgetRemoved(): Promise<void>;
}

/** Notes for the task that has this handle; none where the store ends with its process. */
export function createNotedFolders(handle: string, { store, log }: NotedParts): NotedFolders {
  const noted = new Map<string, string>();

  async function forget(folder: string): Promise<boolean> {
    noted.delete(folder);
    // Whoever looks at the note finds that the folder is gone, or has a task.
    return (await store.folders?.forget(folder).catch((error: unknown) => {
      log.warn({ err: error, folder }, "the store does not forget a folder; it does at the next start");
      return true;
    })) as boolean;
  }

  async function note(folder: string, mark: string): Promise<void> {
    await store.folders?.note({ folder, handle, mark });
    noted.set(folder, mark);
  }

  return {
    plan: store.folders && ((folder) => note(folder, unmade)),
    async note(folder) {
      const mark = markOf(folder);
      if (store.folders !== undefined && mark !== undefined) await note(folder, mark);
    },
    keep: async (folder) => !noted.has(folder) || forget(folder),
    async forgetRemoved() {
      for (const [folder, mark] of noted) if (markOf(folder) !== mark) await forget(folder);
    },
  };
}

/** Removes folders that belong to no task, of processes that died before they could. */
export async function removeLeftFolders({ store, plane, log }: NotedParts): Promise<void> {
  for (const { folder, handle, mark } of (await store.folders?.takeOver()) ?? []) {
    try {
      const known = await store.find(handle);
      const hasTask = known?.handle === handle && known.folder === folder;
      // A name may have been given anew.
      if (!hasTask && (mark === unmade ? await removeEmpty(folder) : markOf(folder) === mark)) {
        await plane.removeTaskFolder(folder);
        log.info({ folder }, "a folder was removed that a killed process had left behind");
      }
      await store.folders?.forget(folder);
    } catch (error) {
      log.error(
        { err: error, folder },
        "a folder that a killed process had left behind could not be removed",
      );
    }
  }
}

/** Whether there was an empty folder; one in which there is something is not touched. */
async function removeEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? ""))
      return false;
    throw error;
  }
}
