import { spawnSync } from "node:child_process";

/** Whether {@link onSmallDisk} works here: on Linux, where a process may have mounts of its own. */
export function hasSmallDisks(): boolean {
  return spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;
}

/**
 * A line of bash that runs `"$@"` with an empty disk of its own in place of `folder`; the disk goes
 * away with the process, and nobody else sees it.
 *
 * @param options as `mount` takes them for a tmpfs, e.g. `size=2m`
 */
export function onSmallDisk(folder: string, options: string): string {
  const mount = `mount -t tmpfs -o ${options} none "${folder}" && exec "$@"`;
  return `exec unshare -rm bash -c '${mount}' bash "$@"`;
}
