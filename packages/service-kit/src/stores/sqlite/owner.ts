import { readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

/** Who has the file open. Only messages depend on it; the lock is SQLite's. */
interface Owner {
  pid: number;
  host: string;
  /** ISO 8601. */
  since: string;
}

/** Where the owner says who it is, in the folder of the file. */
export function ownerFileOf(dir: string): string {
  return join(dir, "tasks.owner.json");
}

/** Leaves a note for who finds the file locked. */
export function signAsOwner(dir: string): void {
  const owner: Owner = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  try {
    writeFileSync(ownerFileOf(dir), JSON.stringify(owner));
  } catch {
    // On a full disk, say. A second process is told less then, and nothing else comes of it.
  }
}

/** Who holds the file, as far as it has said. */
export function holderOf(dir: string): string {
  try {
    const { pid, host, since } = JSON.parse(readFileSync(ownerFileOf(dir), "utf8")) as Owner;
    if (pid === process.pid && host === hostname()) return "another store in this process";
    return `process ${pid} on ${host} (since ${since})`;
  } catch {
    return "another process";
  }
}
