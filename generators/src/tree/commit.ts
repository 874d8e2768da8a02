import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ScaffoldError } from "../errors.ts";
import { assertNoLinkOnTheWay } from "./jail.ts";
import { statOf } from "./stat-of.ts";
import type { Change, Tree } from "./tree.ts";

/** How a commit touches the disk; tests make one of them fail. */
export interface DiskSteps {
  /** Moves a file or folder within the target's file system. */
  rename(from: string, to: string): void;
  /** Writes a new file and waits until it is on the disk. */
  write(path: string, content: Buffer, executable: boolean): void;
}

/**
 * Brings a plan to the disk, whole or not at all: everything is written beside its place first, then
 * moved there; when a step fails, all before it are taken back.
 *
 * @returns what changed
 * @throws ScaffoldError AE1205, AE1302 or AE1501; the folder is as it was then
 */
export function commitTree(tree: Tree, steps: DiskSteps = disk): Change[] {
  const changes = tree.changes();
  if (changes.length === 0) return changes;
  for (const { path } of changes) assertNoLinkOnTheWay(tree.root, path);
  const undo: (() => void)[] = [];
  try {
    assertFolder(tree.root);
    // A folder that is new, or empty, appears in one step.
    if (existsSync(tree.root)) commitInto(tree.root, changes, steps, undo);
    else commitNew(tree.root, changes, steps, undo);
  } catch (cause) {
    for (const step of undo.reverse()) step();
    if (cause instanceof ScaffoldError) throw cause;
    const { message, code } = cause as NodeJS.ErrnoException;
    throw new ScaffoldError("AE1501", {
      where: tree.root,
      message: `Expected to be able to write ${changes.length} files, found: ${message}`,
      state: "everything is as it was",
      tries: code === "ENOSPC" ? ["make room on the disk", "another folder"] : ["another folder"],
      cause,
    });
  }
  return changes;
}

function commitNew(root: string, changes: readonly Change[], steps: DiskSteps, undo: (() => void)[]): void {
  const parent = dirname(resolve(root));
  makeFolder(parent, undo);
  const staging = makeStaging(parent, undo);
  for (const { path, after } of changes) {
    if (after === undefined) continue;
    const target = join(staging, path);
    mkdirSync(dirname(target), { recursive: true });
    steps.write(target, after.content, after.executable);
  }
  steps.rename(staging, root);
}

function commitInto(root: string, changes: readonly Change[], steps: DiskSteps, undo: (() => void)[]): void {
  const staging = makeStaging(root, undo);
  for (const [index, { after }] of changes.entries()) {
    if (after !== undefined) steps.write(join(staging, `${index}.new`), after.content, after.executable);
  }
  for (const [index, { path, before, after }] of changes.entries()) {
    const target = join(root, path);
    const kept = join(staging, `${index}.old`);
    if (!isSame(target, before)) {
      throw new ScaffoldError("AE1302", {
        where: path,
        message: "Expected the file as it was when the change was planned, found another one",
        state: "everything is as it was",
        tries: ["the same command again"],
      });
    }
    makeFolder(dirname(target), undo);
    if (before !== undefined) {
      steps.rename(target, kept);
      undo.push(() => renameSync(kept, target));
    }
    if (after !== undefined) {
      const placed = join(staging, `${index}.new`);
      // An edited file keeps its own mode.
      if (before !== undefined && !after.executable) chmodSync(placed, lstatSync(kept).mode & 0o777);
      steps.rename(placed, target);
      undo.push(() => rmSync(target, { force: true }));
    }
  }
  rmSync(staging, { recursive: true, force: true });
}

/** A folder for what is to be moved into its place. */
function makeStaging(folder: string, undo: (() => void)[]): string {
  const staging = join(folder, `.aieffect-${randomBytes(6).toString("hex")}.part`);
  mkdirSync(staging);
  undo.push(() => rmSync(staging, { recursive: true, force: true }));
  return staging;
}

/** @throws ScaffoldError AE1301 where something else has the target's name */
function assertFolder(root: string): void {
  const found = statOf(root);
  if (found === undefined || found.isDirectory() || (found.isSymbolicLink() && isFolder(root))) return;
  throw new ScaffoldError("AE1301", {
    where: root,
    message: `Expected a folder, or nothing, found a ${found.isSymbolicLink() ? "link that leads to none" : "file"}`,
    tries: ["another folder", "remove it first"],
  });
}

/** Whether it is one, or a link to one: the target itself, and what is above it, may be links. */
function isFolder(path: string): boolean {
  return statOf(path)?.isDirectory() || (existsSync(path) && statSync(path).isDirectory());
}

function isSame(path: string, before: Buffer | undefined): boolean {
  const stats = statOf(path);
  if (before === undefined || stats === undefined) return before === undefined && stats === undefined;
  return stats.isFile() && readFileSync(path).equals(before);
}

/** Makes a folder and those above it; what was made goes away again on undo, if nothing else is in it. */
function makeFolder(path: string, undo: (() => void)[]): void {
  if (isFolder(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path), undo);
  // One level at a time: below a folder that takes none, as /proc, Node's recursive way never ends.
  mkdirSync(path);
  undo.push(() => {
    try {
      rmdirSync(path);
    } catch {
      // Somebody else has put something there since; that is theirs.
    }
  });
}

const disk: DiskSteps = {
  rename: renameSync,
  write(path, content, executable) {
    const file = openSync(path, "wx", executable ? 0o755 : 0o644);
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  },
};
