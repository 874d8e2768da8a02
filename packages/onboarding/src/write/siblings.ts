import { existsSync, renameSync } from "node:fs";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { removeAtExit } from "./at-exit.ts";
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
  const keep = removeAtExit(fresh);
  return {
    fresh,
    old,
    release() {
      claimed.delete(fresh);
      claimed.delete(old);
      keep();
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
  let isThere = false;
  for (let tries = 1; ; tries++) {
    try {
      if (await exists(old)) await settle(old, target);
      if (isThere) return;
      swap(target, fresh, old);
      isThere = true;
      if (await exists(old)) await settle(old, target);
      return;
    } catch (error) {
      // Another process replaces the same export between any two of these steps.
      const { code = "" } = error as NodeJS.ErrnoException;
      if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(code) || tries === mostTries) throw error;
      await pause(Math.random() * 10);
    }
  }
}

const mostTries = 100;

/** Not awaited: so no signal that the process handles, and no other export of it, comes in between. */
function swap(target: string, fresh: string, old: string): void {
  try {
    renameSync(target, old);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  try {
    renameSync(fresh, target);
  } catch (error) {
    if (existsSync(old) && !existsSync(target)) renameSync(old, target);
    throw error;
  }
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
