import { readFile, rm, writeFile } from "node:fs/promises";

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

/** Writes the state for scripts to find, one field a line, so that `sed` can read it too. */
export async function writeState(file: string, state: PipelineState): Promise<void> {
  await writeFile(file, `${JSON.stringify(state, undefined, 2)}\n`);
}

/** Removes the state, unless another run has put its own there meanwhile. */
export async function removeState(file: string, pid: number): Promise<void> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined || (JSON.parse(text) as PipelineState).pid !== pid) return;
  await rm(file, { force: true });
}
