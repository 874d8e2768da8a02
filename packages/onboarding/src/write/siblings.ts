import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { exportEntries } from "./export-files.ts";

/** Where an export is made, and where the one before it waits for the end. */
export interface Siblings {
  fresh: string;
  old: string;
  /** They are nobody's any more. */
  release(): void;
}

/** Names that exports of this process are using. */
const claimed = new Set<string>();
let count = 0;

/** Names beside a folder that no other export uses, in this process or another one. */
export function claimSiblings(target: string): Siblings {
  const name = (kind: "new" | "old") =>
    join(dirname(target), `${prefixOf(target)}${kind}-${process.pid}-${count}`);
  count++;
  const [fresh, old] = [name("new"), name("old")];
  claimed.add(fresh).add(old);
  return {
    fresh,
    old,
    release() {
      claimed.delete(fresh);
      claimed.delete(old);
    },
  };
}

/** Clears away what exports to this place left that were killed; one that was about to be replaced comes back. */
export async function recover(target: string): Promise<void> {
  const parent = dirname(target);
  const pattern = /^(new|old)-(\d+)-\d+$/;
  for (const entry of await readdir(parent)) {
    if (!entry.startsWith(prefixOf(target))) continue;
    const [, kind, pid] = pattern.exec(entry.slice(prefixOf(target).length)) ?? [];
    const path = join(parent, entry);
    if (kind === undefined || claimed.has(path) || isAlive(Number(pid))) continue;
    if (kind === "new") await rm(path, { recursive: true, force: true });
    else if (await exists(target)) await settle(path, target);
    else await rename(path, target);
  }
}

/** Puts a complete export in the place of another one, if there is one. */
export async function replace(target: string, { fresh, old }: Siblings): Promise<void> {
  if (!(await exists(target))) return rename(fresh, target);
  await rename(target, old);
  try {
    await rename(fresh, target);
  } catch (error) {
    await rename(old, target);
    throw error;
  }
  await settle(old, target);
}

/** Whether something is there. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Removes a replaced export; what is not of an export moves to the new one. */
async function settle(old: string, target: string): Promise<void> {
  const there = new Set(await readdir(target));
  for (const entry of await readdir(old)) {
    if (exportEntries.includes(entry) || there.has(entry)) continue;
    await rename(join(old, entry), join(target, entry));
  }
  await rm(old, { recursive: true, force: true });
}

function prefixOf(target: string): string {
  return `.${basename(target)}.export-`;
}

/** Whether another process has this id. */
function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
