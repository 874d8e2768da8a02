import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  createProgressDisplay,
  type LocalPipeline,
  type RunOptions,
  type RunOutcome,
  type ShownTask,
  startLocalPipeline,
} from "@aieffect/local-run";
import { toInput } from "./input.ts";
import { toKeepText } from "./keep-text.ts";
import type { DemoOptions } from "./options.ts";
import { blueprint_file, programs, sample_file } from "./paths.ts";
import { findReport, toReportText } from "./report.ts";

/** Where the demo writes to. */
export interface DemoStreams {
  /** Results for scripts. */
  stdout: NodeJS.WriteStream;
  /** Everything for people, with `--json`; and errors. */
  stderr: NodeJS.WriteStream;
}

/**
 * Runs the pipeline once and shows its report; everything it started has ended when it resolves.
 *
 * @returns the exit code: 0, or 1 when the workflow failed
 * @throws what the signal was aborted with, when it was
 */
export async function runDemo(
  options: DemoOptions,
  streams: DemoStreams,
  signal: AbortSignal,
): Promise<number> {
  let workflow_id: string | undefined;
  try {
    return await runPipeline(options, streams, signal, (id) => {
      workflow_id = id;
    });
  } catch (error) {
    if (signal.aborted && error === signal.reason)
      streams.stderr.write(toInterruptedText(options.data_dir, workflow_id));
    throw error;
  }
}

async function runPipeline(
  options: DemoOptions,
  streams: DemoStreams,
  signal: AbortSignal,
  onWorkflow: (workflow_id: string | undefined) => void,
): Promise<number> {
  const { json, keep, services_api_key } = options;
  const people = json ? streams.stderr : streams.stdout;
  const { reference, description } = toInput(options);
  people.write(`File-based energy pipeline\n  input    ${description}\n  results  ${options.data_dir}\n\n`);

  const input_dirs = reference.protocol === "file" ? [dirname(reference.uri)] : [];
  const pipeline = await startLocalPipeline({
    programs,
    blueprint_file,
    data_dir: options.data_dir,
    data_roots: [dirname(sample_file), ...input_dirs],
    ...(services_api_key !== undefined && { services_api_key }),
    extra: { EXECUTION_STYLE: options.execution_style },
    signal,
    onServiceEnd(name, how, log) {
      // Ctrl-C in a terminal reaches the services as well: then their end is no news.
      if (!signal.aborted) streams.stderr.write(`Service ${name} is gone: ${how}. Its log: ${log}\n`);
    },
  });
  try {
    const outcome = await runShown(pipeline, { inputs: [reference], onSubmit: onWorkflow, signal }, people);
    // A failure after Ctrl-C is one of services that were told to stop.
    signal.throwIfAborted();
    if (outcome.workflow.status !== "completed") {
      streams.stderr.write(toFailureText(outcome, pipeline.log_dir));
      if (json)
        streams.stdout.write(toJson(pipeline, outcome, { report: null, error: outcome.workflow.error }));
      return 1;
    }
    const files = findReport(outcome);
    people.write(`\n${await toReportText(files, await pipeline.peakRss())}\n`);
    if (keep) people.write(toKeepText(pipeline, services_api_key !== undefined));
    if (json) streams.stdout.write(toJson(pipeline, outcome, { ...files }));
    // From now on it is the folder that counts, with the results of further workflows.
    onWorkflow(undefined);
    if (keep) await aborted(signal);
    return 0;
  } finally {
    await pipeline.close();
  }
}

/** Runs a workflow and shows its tasks as they go on. */
async function runShown(
  pipeline: LocalPipeline,
  options: RunOptions & { signal: AbortSignal },
  stream: NodeJS.WriteStream,
): Promise<RunOutcome> {
  const display = createProgressDisplay({ stream });
  let shown: readonly ShownTask[] = [];
  const onTasks = (tasks: readonly ShownTask[]) => {
    shown = tasks;
    display.update(tasks);
  };
  try {
    return await pipeline.run({ ...options, onTasks });
  } catch (error) {
    const { aborted } = options.signal;
    if (aborted)
      display.update(
        shown.map((task) => (task.status === "running" ? { ...task, status: "stopped" } : task)),
      );
    throw error;
  } finally {
    display.end();
  }
}

function toFailureText({ workflow, tasks }: RunOutcome, log_dir: string): string {
  const failed = tasks.find(({ status }) => status === "failed");
  const where = failed === undefined ? "" : `\n  in ${failed.node_key}`;
  return `\nThe workflow failed${where}\n  ${failed?.error ?? workflow.error}\n  logs: ${log_dir}\n`;
}

/** Partial results are worth telling only when there are some. */
function toInterruptedText(data_dir: string, workflow_id: string | undefined): string {
  const folder = join(data_dir, workflow_id ?? "");
  const where = existsSync(folder) ? folder : data_dir;
  return `\nInterrupted. Everything is stopped; what was written so far is in ${where}\n`;
}

function toJson(pipeline: LocalPipeline, { workflow_id }: RunOutcome, rest: Record<string, unknown>): string {
  const { orchestrator, services, blueprint_file: blueprint, dockerinfo_file: dockerinfo } = pipeline;
  return `${JSON.stringify({ orchestrator, services, blueprint, dockerinfo, workflow_id, ...rest })}\n`;
}

/** Rejects once the signal is aborted. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
