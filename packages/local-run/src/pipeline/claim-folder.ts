import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { claimState, removeState } from "./state-file.ts";

/** Name of the file in the data folder by which scripts find a pipeline that runs. */
export const state_file_name = "local-run.json";

/** What a run may write into a data folder beside its results. */
export interface ClaimedFolder {
  /** Absent while another run that is alive has it. */
  readonly state_file?: string;
  readonly dockerinfo_file: string;
  readonly log_dir: string;
  /** Gives the folder back when everything has stopped; logs stay. */
  release(): Promise<void>;
}

/**
 * Chooses a run's files in a data folder: the usual names, or names with its process id where
 * another run that is alive has those.
 */
export async function claimFolder(data_dir: string, pid = process.pid): Promise<ClaimedFolder> {
  await mkdir(data_dir, { recursive: true });
  const state_file = join(data_dir, state_file_name);
  if (await claimState(state_file, pid)) {
    return {
      state_file,
      dockerinfo_file: join(data_dir, "dockerinfo.json"),
      log_dir: join(data_dir, "logs"),
      release: () => removeState(state_file, pid),
    };
  }
  const dockerinfo_file = join(data_dir, `dockerinfo-${pid}.json`);
  return {
    dockerinfo_file,
    log_dir: join(data_dir, `logs-${pid}`),
    // Nobody would ever overwrite it.
    release: () => rm(dockerinfo_file, { force: true }),
  };
}
