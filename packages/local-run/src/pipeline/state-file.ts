import { readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** What scripts need to know of a pipeline that runs on this machine. */
export interface PipelineState {
  /** Base URL of the orchestrator. */
  orchestrator: string;
  /** Absolute path. */
  blueprint: string;
  /** Absolute path. */
  dockerinfo: string;
  /** Base URL by container name. */
  services: Readonly<Record<string, string>>;
  /** The process that runs the orchestrator. */
  pid: number;
}

/** State files of this very process: after a restart in a container, a dead run had the same pid. */
const own = new Set<string>();

const being_written_ms = 50;

/**
 * Takes the state file for a run that is about to start, before it has anything else to say. The
 * file of a process that is gone, or one that cannot be read, is replaced.
 *
 * @returns false when a run that is alive has it
 */
export async function claimState(file: string, pid: number): Promise<boolean> {
  for (;;) {
    try {
      // Exclusive: of two runs that start at once, one gets it.
      await writeFile(file, toText({ pid }), { flag: "wx" });
      own.add(file);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    // A second look, because the run that has just created it may not have written it yet.
    const holder = (await readPid(file)) ?? (await sleep(being_written_ms).then(() => readPid(file)));
    if (holder === pid ? own.has(file) : isAlive(holder)) return false;
    await rm(file, { force: true });
  }
}

/** Writes the state for scripts to find, one field a line, so that `sed` can read it too. */
export async function writeState(file: string, state: PipelineState): Promise<void> {
  await writeFile(file, toText(state));
}

/** Removes the state, unless another run has put its own there meanwhile. */
export async function removeState(file: string, pid: number): Promise<void> {
  own.delete(file);
  if ((await readPid(file)) === pid) await rm(file, { force: true });
}

function toText(state: Partial<PipelineState>): string {
  return `${JSON.stringify(state, undefined, 2)}\n`;
}

/** The process that has the file; undefined when there is no file, or nothing of the kind in it. */
async function readPid(file: string): Promise<number | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { pid } = JSON.parse(text) as Partial<PipelineState>;
    return pid;
  } catch {
    // Cut off by a crash, or written by somebody else: it names no run.
    return undefined;
  }
}

function isAlive(pid: unknown): boolean {
  // 0 and negative ones would ask for whole groups of processes.
  if (typeof pid !== "number" || !Number.isInteger(pid) || pid < 1) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Alive, and somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
