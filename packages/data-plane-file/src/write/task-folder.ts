import { lstat, mkdir, readdir, realpath, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { ControlError } from "@aieffect/control-interface";
import { toDiskFailure } from "./disk-failure.ts";
import { toFolderName } from "./folder-name.ts";

/**
 * Creates a folder that belongs to one execution alone (R-RUN-06): `<data_dir>/<workflow>/<task>`
 * for the first, `<task>~2`, `<task>~3` and so on for later ones. Processes that share `data_dir`
 * never get the same one. A tag comes behind the name of the task: `<task>~<tag>`.
 *
 * @param before told of a folder that is not there, just before it is made; what it throws is passed on
 */
export async function createTaskFolder(
  data_dir: string,
  workflow_id: string,
  task_id: string,
  tag?: string,
  before?: (folder: string) => Promise<void>,
): Promise<string> {
  const workflow = join(data_dir, toFolderName(workflow_id));
  const task = toFolderName(task_id);
  try {
    await mkdir(data_dir, { recursive: true });
    return await createNext(workflow, tag === undefined ? task : `${task}~${tag}`, before);
  } catch (error) {
    if (error instanceof ControlError) throw error;
    const why = `${(error as Error).message}; check that data_dir can be written to`;
    throw toDiskFailure(`create a folder for the task in ${workflow}`, error, why);
  }
}

async function createNext(
  workflow: string,
  task: string,
  before: ((folder: string) => Promise<void>) | undefined,
): Promise<string> {
  let serial = 1;
  for (let attempt = 1; ; attempt++) {
    await createUnlessThere(workflow);
    try {
      const folder = join(workflow, serial === 1 ? task : `${task}~${serial}`);
      if (before !== undefined) {
        await assertFree(folder);
        await before(folder);
      }
      await mkdir(folder);
      return folder;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EEXIST") serial = Math.max(serial + 1, await nextSerial(workflow, task));
      // ENOENT: the workflow's last task was removed just now, and its folder with it. It can only
      // be so often by chance.
      else if (code !== "ENOENT" || attempt > 1000) throw error;
    }
  }
}

/** @throws as mkdir does when something has the name */
async function assertFree(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  if (found !== undefined) throw Object.assign(new Error(`EEXIST: ${path}`), { code: "EEXIST" });
}

async function createUnlessThere(folder: string): Promise<void> {
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

/**
 * Removes an execution's folder with all that is in it, and the workflow's when that was its last
 * one. A folder that is gone already is fine.
 *
 * @throws TypeError for anything that is not a task's folder below `data_dir`
 */
export async function removeTaskFolder(data_dir: string, folder: string): Promise<void> {
  const bases = [data_dir, await realpath(data_dir).catch(() => data_dir)];
  const asked = resolve(folder);
  const base = bases.find((candidate) => isTaskFolder(candidate, asked));
  // A linked workflow folder leads somewhere that is not ours to empty.
  const real = await realpath(dirname(asked)).catch(() => undefined);
  const expected = base === undefined ? undefined : join(bases[1] as string, basename(dirname(asked)));
  if (base === undefined || (real !== undefined && real !== expected)) {
    throw new TypeError(`Expected the folder of a task, <workflow>/<task> below ${data_dir}, got ${folder}`);
  }
  await rm(asked, { recursive: true, force: true, maxRetries: 3 });
  await rmdir(dirname(asked)).catch((error: NodeJS.ErrnoException) => {
    // Other tasks are in it, or it is gone as well.
    if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(error.code ?? "")) throw error;
  });
}

function isTaskFolder(data_dir: string, folder: string): boolean {
  const steps = relative(data_dir, folder).split(sep);
  return steps.length === 2 && steps.every((step) => step !== "" && step !== "..");
}

/** How many tasks have a folder below `data_dir`; counts no further than about `limit`. */
export async function countTaskFolders(data_dir: string, limit: number): Promise<number> {
  let count = 0;
  for (const workflow of await foldersIn(data_dir)) {
    if (count < limit) count += (await foldersIn(join(data_dir, workflow))).length;
  }
  return Math.min(count, limit);
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** One above the highest in use, found in one look however many there are. */
async function nextSerial(workflow: string, task: string): Promise<number> {
  const names = await readdir(workflow).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const serials = names
    .filter((name) => name.startsWith(`${task}~`))
    .map((name) => Number(name.slice(task.length + 1)))
    .filter(Number.isSafeInteger);
  return serials.reduce((highest, serial) => Math.max(highest, serial), 1) + 1;
}
