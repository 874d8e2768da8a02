import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { toSafePath } from "./jail.ts";
import { statOf } from "./stat-of.ts";

/** A planned file. */
export interface PlannedFile {
  content: Buffer;
  executable: boolean;
}

/** What will be different on the disk. */
export interface Change {
  /** Relative to the target, with `/`. */
  path: string;
  kind: "create" | "update" | "delete";
  before: Buffer | undefined;
  after: PlannedFile | undefined;
}

/** A folder in memory over one on the disk. Nothing is written before {@link import("./commit.ts").commitTree}. */
export interface Tree {
  /** The target on the disk; it need not exist. */
  readonly root: string;
  /** The bytes of a file as the plan leaves it; undefined where there is none. */
  read(path: string): Buffer | undefined;
  /** {@link read} as UTF-8. */
  readText(path: string): string | undefined;
  /** Names in a folder, sorted; `""` is the target itself. */
  list(folder: string): string[];
  /** Plans a file. What is there is replaced. @throws ScaffoldError AE1205 outside the target */
  write(path: string, content: string | Uint8Array, options?: { executable?: boolean }): void;
  /** Plans that a file goes away. */
  remove(path: string): void;
  /** What differs from the disk, sorted by path. */
  changes(): Change[];
}

/** A tree over a folder, which need not exist. */
export function createTree(root: string): Tree {
  const planned = new Map<string, PlannedFile | undefined>();
  const onDisk = (path: string): Buffer | undefined => {
    const full = join(root, path);
    return statOf(full)?.isFile() ? readFileSync(full) : undefined;
  };
  const tree: Tree = {
    root,
    read: (path) => (planned.has(path) ? planned.get(path)?.content : onDisk(path)),
    readText: (path) => tree.read(path)?.toString("utf8"),
    list(folder) {
      const prefix = folder === "" ? "" : `${folder}/`;
      const names = new Set(namesIn(join(root, folder)).filter((name) => !isRemoved(`${prefix}${name}`)));
      for (const [path, file] of planned) {
        const name = path.slice(prefix.length).split("/")[0];
        if (file !== undefined && name !== undefined && path.startsWith(prefix)) names.add(name);
      }
      return [...names].sort();
    },
    write(path, content, { executable = false } = {}) {
      const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : Buffer.from(content);
      planned.set(toSafePath(path), { content: bytes, executable });
    },
    remove(path) {
      planned.set(toSafePath(path), undefined);
    },
    changes: () =>
      [...planned]
        .map(([path, after]) => changeOf(path, onDisk(path), after))
        .filter((change) => change !== undefined)
        .sort((one, other) => (one.path < other.path ? -1 : 1)),
  };
  return tree;

  function isRemoved(path: string): boolean {
    return planned.has(path) && planned.get(path) === undefined;
  }
}

function changeOf(
  path: string,
  before: Buffer | undefined,
  after: PlannedFile | undefined,
): Change | undefined {
  if (after === undefined) return before && { path, kind: "delete", before, after };
  if (before?.equals(after.content)) return undefined;
  return { path, kind: before === undefined ? "create" : "update", before, after };
}

function namesIn(folder: string): string[] {
  return statOf(folder)?.isDirectory() ? readdirSync(folder) : [];
}
