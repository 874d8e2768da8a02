import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { openServiceLog } from "./service-log.ts";

/** How one service is started. */
export interface ServiceProcessOptions {
  container_name: string;
  /** Path of the entry file. */
  entry: string;
  /** The whole environment of the process. */
  env: NodeJS.ProcessEnv;
  /** Where its output goes. */
  log_file: string;
  /** In ms. */
  start_timeout_ms: number;
  signal?: AbortSignal;
}

/** One service as a child process. */
export interface ServiceProcess {
  readonly container_name: string;
  /** Base URL, as the service itself reported it. */
  readonly url: string;
  readonly pid: number;
  readonly log_file: string;
  /** Resolves when the process has ended, with a sentence on how. */
  readonly ended: Promise<string>;
  /** Most memory held so far, in bytes; undefined once the process has ended. */
  peakRss(): Promise<number | undefined>;
  /** Asks the process to stop, ends it after 10 s if it has not, and waits for its end. */
  stop(): Promise<void>;
}

const stop_timeout_ms = 10_000;
const answer_timeout_ms = 2_000;

// Compiled code, also where this file runs from its source: the child is a plain Node.
const guard = new URL("../../dist/services/guard.js", import.meta.url).href;

/** Starts a service and resolves when it has logged `{"msg":"listening","url":...}`. */
export async function startServiceProcess(options: ServiceProcessOptions): Promise<ServiceProcess> {
  const { container_name, entry, env, log_file, start_timeout_ms, signal } = options;
  signal?.throwIfAborted();
  const log = await openServiceLog(log_file);
  const child = spawn(process.execPath, ["--import", guard, resolve(entry)], {
    env,
    stdio: ["ignore", log.fd, log.fd, "ipc"],
    windowsHide: true,
  });
  const ended = endOf(child);
  await log.close();
  const stop = () => stopProcess(child, ended);

  const answered = new AbortController();
  const limits = [answered.signal, AbortSignal.timeout(start_timeout_ms), ...(signal ? [signal] : [])];
  const listening = log.listening(AbortSignal.any(limits)).then(
    (url) => ({ url }),
    (error: Error) => ({
      how: error.name === "AbortError" ? `it did not listen within ${start_timeout_ms} ms` : error.message,
    }),
  );
  const outcome = await Promise.race([listening, ended.then((how) => ({ how }))]);
  answered.abort();
  if ("url" in outcome && child.pid !== undefined) {
    const peakRss = () => askPeakRss(child);
    return { container_name, url: outcome.url, pid: child.pid, log_file, ended, stop, peakRss };
  }
  await stop();
  signal?.throwIfAborted();
  const tail = (await log.tail()).map((line) => `\n  ${line}`);
  throw new Error(
    `Service ${container_name} did not start: ${"how" in outcome ? outcome.how : "it has no process id"}. ` +
      (tail.length > 0
        ? `The end of its log (${log_file}):${tail.join("")}`
        : `It logged nothing (${log_file}).`),
  );
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((settle) => {
    // Also comes when asking or stopping meets a process that has just ended, which `exit` tells.
    child.on("error", (error) => {
      if (child.pid === undefined) settle(`it could not be run (${error.message})`);
    });
    child.once("exit", (code, signal) => {
      settle(signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`);
    });
  });
}

async function stopProcess(child: ChildProcess, ended: Promise<string>): Promise<void> {
  // A signal on Windows ends a process at once; there the closed channel asks (see guard.ts).
  if (process.platform !== "win32") child.kill("SIGTERM");
  else if (child.connected) child.disconnect();
  const last_resort = setTimeout(() => child.kill("SIGKILL"), stop_timeout_ms);
  await ended;
  clearTimeout(last_resort);
}

async function askPeakRss(child: ChildProcess): Promise<number | undefined> {
  if (!child.connected) return undefined;
  const gone = new AbortController();
  const giveUp = () => gone.abort();
  child.once("disconnect", giveUp);
  const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(answer_timeout_ms)]);
  const answer = once(child, "message", { signal });
  child.send("peak_rss", () => {});
  try {
    const [message] = (await answer) as [{ peak_rss_bytes: number }];
    return message.peak_rss_bytes;
  } catch {
    // It ended, or is too busy to answer: memory is told where it is known.
    return undefined;
  } finally {
    child.off("disconnect", giveUp);
  }
}
