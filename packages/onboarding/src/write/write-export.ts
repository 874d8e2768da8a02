import { mkdir, readdir, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import type { ExportPlan } from "../plan/export-plan.ts";
import { type Problem, ProblemsError } from "../problems/problem.ts";
import { inBatches } from "../read/in-batches.ts";
import { toExportFiles, toExportZip } from "./export-files.ts";
import { claimSiblings, exists, recover, replace } from "./siblings.ts";

/** How an export is written. */
export interface WriteOptions {
  /** Replace an export that is there. What else lies in the folder, a compose file say, stays. @default false */
  overwrite?: boolean;
  /** Write the archive for the portal as well, to this path; true puts it beside the folder, as `<folder>.zip`. @default false */
  zip?: boolean | string;
}

/** Absolute paths of what was written. */
export interface WrittenExport {
  folder: string;
  zip: string | undefined;
}

/**
 * Writes an export into a folder, whole or not at all: it is made beside the folder and takes its
 * place when it is complete. Whatever interrupts it, the export that was there is there still, or
 * again as soon as the next export is written.
 *
 * @throws ProblemsError `exists` where something is in the way; nothing is written
 */
export async function writeExport(
  plan: ExportPlan,
  folder: string,
  { overwrite = false, zip = false }: WriteOptions = {},
): Promise<WrittenExport> {
  const target = await followLink(resolve(folder));
  const archive = zip === false ? undefined : resolve(zip === true ? `${target}.zip` : zip);
  await mkdir(dirname(target), { recursive: true });
  await recover(target);
  await assertFree(target, archive, overwrite);
  const files = new Map<string, string | Uint8Array>(toExportFiles(plan));
  const inside = archive === undefined ? undefined : pathWithin(target, archive);
  const beside = inside === undefined ? archive : undefined;
  if (inside !== undefined) files.set(inside, toExportZip(plan));
  if (beside !== undefined) {
    await mkdir(dirname(beside), { recursive: true });
    await recover(beside);
  }
  const siblings = claimSiblings(target);
  const zipSiblings = beside === undefined ? undefined : claimSiblings(beside);
  try {
    const folders = new Set([...files.keys()].map((path) => dirname(join(siblings.fresh, path))));
    for (const one of folders) await mkdir(one, { recursive: true });
    await inBatches([...files], ([path, content]) => writeFile(join(siblings.fresh, path), content));
    if (zipSiblings !== undefined) await writeFile(zipSiblings.fresh, toExportZip(plan));
    // Another one may have come there meanwhile.
    await assertFree(target, archive, overwrite);
    await replace(target, siblings);
    if (beside !== undefined && zipSiblings !== undefined) await rename(zipSiblings.fresh, beside);
    return { folder: target, zip: archive };
  } finally {
    for (const one of [siblings, zipSiblings]) {
      if (one === undefined) continue;
      await rm(one.fresh, { recursive: true, force: true });
      one.release();
    }
  }
}

async function assertFree(target: string, archive: string | undefined, overwrite: boolean): Promise<void> {
  const problems: Problem[] = [];
  const inTheWay = (file: string, found: string, fix: string) =>
    problems.push({
      code: "exists",
      severity: "error",
      file,
      line: undefined,
      message: `Expected a place for the export, found ${found}`,
      fix,
    });
  const isFolder = await stat(target).then(
    (found) => found.isDirectory(),
    () => undefined,
  );
  // Another process may be putting its export in the place of this one just now.
  const entries = isFolder ? await readdir(target).catch(noneWhereGone) : [];
  if (isFolder === false) inTheWay(target, "a file", "Choose another folder");
  else if (entries.length > 0 && !entries.includes("blueprint.json"))
    inTheWay(target, "a folder with something else than an export in it", "Choose another folder");
  else if (entries.length > 0 && !overwrite)
    inTheWay(target, "an export", "Choose another folder, or replace it with --overwrite");
  if (archive !== undefined && (await exists(archive))) {
    if ((await stat(archive)).isDirectory()) inTheWay(archive, "a folder", "Choose another name");
    else if (!overwrite)
      inTheWay(archive, "an archive", "Choose another name, or replace it with --overwrite");
  }
  if (problems.length > 0) throw new ProblemsError(problems);
}

function noneWhereGone(error: NodeJS.ErrnoException): string[] {
  if (error.code === "ENOENT") return [];
  throw error;
}

/** A link stays one: it is what it leads to that is replaced. */
async function followLink(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

function pathWithin(folder: string, path: string): string | undefined {
  const way = relative(folder, path);
  return way === "" || way.startsWith("..") || isAbsolute(way) ? undefined : way;
}
