import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { storageFull, storeUnavailable } from "../store-errors.ts";
import type { NotedFolder } from "../task-store.ts";

/** Notes of folders, each a small file. */
export interface FolderFiles {
  /** @throws ControlError */
  write(noted: NotedFolder): void;
  /** @throws ControlError */
  remove(folder: string): void;
  /** @throws ControlError */
  all(): NotedFolder[];
}

/**
 * Notes in `<dir>/folders`, beside the database and not in it: they survive a kill, and cost no wait
 * for the disk, as a transaction does. After a loss of power one may be missing.
 */
export function createFolderFiles(dir: string): FolderFiles {
  const place = join(dir, "folders");
  const pathOf = (folder: string) =>
    join(place, `${createHash("sha256").update(folder, "utf16le").digest("hex")}.json`);

  function onDisk<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      const { code = "", message } = cause as NodeJS.ErrnoException;
      const found = `Expected to read and write ${place}, found: ${message}`;
      throw /^(ENOSPC|EDQUOT|EFBIG)$/.test(code) ? storageFull(found, cause) : storeUnavailable(found, cause);
    }
  }

  return {
    write: (noted) =>
      onDisk(() => {
        const path = pathOf(noted.folder);
        mkdirSync(place, { recursive: true });
        // There as a whole, or not at all.
        writeFileSync(`${path}.part`, JSON.stringify(noted));
        renameSync(`${path}.part`, path);
      }),
    remove: (folder) => onDisk(() => rmSync(pathOf(folder), { force: true })),
    all: () =>
      onDisk(() => {
        mkdirSync(place, { recursive: true });
        const names = readdirSync(place);
        // Of a process that died while it wrote: this one writes in one go.
        for (const name of names) if (name.endsWith(".part")) rmSync(join(place, name), { force: true });
        const whole = names.filter((name) => name.endsWith(".json"));
        return whole.map((name) => JSON.parse(readFileSync(join(place, name), "utf8")) as NotedFolder);
      }),
  };
}
