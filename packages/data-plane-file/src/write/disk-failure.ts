import { ControlError } from "@aieffect/control-interface";

/** What the disk says when there is no room, and what it means. */
const full: Record<string, string> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "a file of this process may not be that large",
};

const whatToDo =
  "free some space, keep less of what has ended (retention.max_payload_bytes of a service), or choose another data_dir";

/**
 * The error of a disk that refused: `storage_full` when there is no room, else `internal`.
 *
 * @param what what could not be done, as in `write /data/a.csv`
 * @param why the reason where there is room, and what to do
 */
export function toDiskFailure(what: string, error: unknown, why: string): ControlError {
  const { code = "" } = error as NodeJS.ErrnoException;
  const noRoom = full[code];
  return noRoom === undefined
    ? new ControlError("internal", `Could not ${what}: ${why}`, { cause: error })
    : new ControlError("storage_full", `Could not ${what}: ${noRoom} (${code}); ${whatToDo}`, {
        cause: error,
      });
}
