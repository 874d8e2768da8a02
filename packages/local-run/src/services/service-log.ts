import { open, readFile, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Where the output of a service goes. */
export interface ServiceLog {
  /** To be a child's standard output and error. */
  readonly fd: number;
  /** The URL of the `listening` line, as soon as there is one. Rejects when the signal fires. */
  listening(signal: AbortSignal): Promise<string>;
  /** The last lines. */
  tail(): Promise<string[]>;
  /** Gives the file back; a child that has it keeps it. */
  close(): Promise<void>;
}

const shown_lines = 12;
const look_every_ms = 20;

/**
 * Begins the log file of a service anew. The service writes into it by itself: through a pipe, its
 * output would break when this process ends before it.
 *
 * @throws Error when the file cannot be written
 */
export async function openServiceLog(file: string): Promise<ServiceLog> {
  await writeFile(file, "");
  const handle = await open(file, "a");
  const lines = async () => (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
  return {
    fd: handle.fd,
    async listening(signal) {
      for (;;) {
        const [url] = (await lines()).flatMap(listeningUrl);
        if (url !== undefined) return url;
        await sleep(look_every_ms, undefined, { signal });
      }
    },
    tail: async () => (await lines()).slice(-shown_lines),
    close: () => handle.close(),
  };
}

function listeningUrl(line: string): string[] {
  if (!line.startsWith("{") || !line.includes("listening")) return [];
  try {
    const { msg, url } = JSON.parse(line) as { msg?: unknown; url?: unknown };
    return msg === "listening" && typeof url === "string" ? [url] : [];
  } catch {
    // Somebody's print, or a line that is still being written.
    return [];
  }
}
