import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type LocalPipeline,
  type RunOptions,
  type RunOutcome,
  startLocalPipeline,
} from "../pipeline/start-local-pipeline.ts";
import { createProgressDisplay, type ShownTask } from "../terminal/progress-display.ts";
import { formatBytes, formatTable } from "../terminal/table.ts";
import type { Demo, DemoResult } from "./demo.ts";
import { toKeepText } from "./keep-text.ts";
import type { DemoOptions } from "./read-options.ts";

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
  demo: Demo,
  options: DemoOptions,
  streams: DemoStreams,
  signal: AbortSignal,
): Promise<number> {
  let workflow_id: string | undefined;
  try {
    return await runPipeline(demo, options, streams, signal, (id) => {
      workflow_id = id;
    });
  } catch (error) {
    if (signal.aborted && error === signal.reason)
      streams.stderr.write(toInterruptedText(options.data_dir, workflow_id));
    throw error;
  }
}

async function runPipeline(
  demo: Demo,
  options: DemoOptions,
  streams: DemoStreams,
  signal: AbortSignal,
  onWorkflow: (workflow_id: string | undefined) => void,
): Promise<number> {
  const { json, keep, data_dir, services_api_key, input } = options;
  const { title, programs, blueprint_file, extra } = demo;
  const people = json ? streams.stderr : streams.stdout;
  people.write(`${title}\n  input    ${input.description}\n  results  ${data_dir}\n\n`);

  const pipeline = await startLocalPipeline({
    programs,
    blueprint_file,
    data_dir,
    data_roots: input.data_roots ?? [],
    ...(services_api_key !== undefined && { services_api_key }),
    extra: { ...extra, EXECUTION_STYLE: options.execution_style },
    signal,
    onServiceEnd(name, how, log) {
      // Ctrl-C in a terminal reaches the services as well: then their end is no news.
      if (!signal.aborted) streams.stderr.write(`Service ${name} is gone: ${how}. Its log: ${log}\n`);
    },
  });
  try {
    const outcome = await runShown(
      pipeline,
      { inputs: [input.reference], onSubmit: onWorkflow, signal },
      people,
    );
    // A failure after Ctrl-C is one of services that were told to stop.
    signal.throwIfAborted();
    if (outcome.workflow.status !== "completed") {
      streams.stderr.write(toFailureText(outcome, pipeline.log_dir));
      if (json)
        streams.stdout.write(toJson(pipeline, outcome, { report: null, error: outcome.workflow.error }));
      return 1;
    }
    const result = await demo.toResult(outcome, { services_api_key });
    people.write(`\n${toResultText(result, await pipeline.peakRss())}\n`);
    if (keep) people.write(toKeepText(demo, pipeline, services_api_key !== undefined));
    if (json) streams.stdout.write(toJson(pipeline, outcome, result.fields));
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

/** The report, the services' memory and where everything is, for a terminal. */
function toResultText({ text, files }: DemoResult, peaks: Readonly<Record<string, number>>): string {
  const memory = Object.entries(peaks).map(([name, bytes]) => [name, formatBytes(bytes)]);
  return [
    text,
    "",
    formatTable(memory, { header: ["Peak memory", ""], right: [1] }),
    "",
    formatTable(files),
    "",
  ].join("\n");
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

function toJson(
  pipeline: LocalPipeline,
  { workflow_id }: RunOutcome,
  rest: Readonly<Record<string, unknown>>,
): string {
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
