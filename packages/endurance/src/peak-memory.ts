import { readFile } from "node:fs/promises";

/** The most memory that a process ever had, in bytes; known where there is /proc. */
export async function peakOf(pid: number | undefined): Promise<number> {
  const [, kib] = /VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) * 1024;
}
