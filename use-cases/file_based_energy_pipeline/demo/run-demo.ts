import { dirname, join } from "node:path";
import {
  createProgressDisplay,
  formatTable,
  type LocalPipeline,
  type RunOutcome,
  startLocalPipeline,
} from "@aieffect/local-run";
import { toInput } from "./input.ts";
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
    onServiceEnd: (name, how, log) =>
      streams.stderr.write(`Service ${name} is gone: ${how}. Its log: ${log}\n`),
  });
  try {
    const display = createProgressDisplay({ stream: people });
    const outcome = await pipeline
      .run({ inputs: [reference], onTasks: (tasks) => display.update(tasks), signal })
      .finally(() => display.end());
    if (outcome.workflow.status !== "completed") {
      streams.stderr.write(toFailureText(outcome, options.data_dir));
      if (json)
        streams.stdout.write(toJson(pipeline, outcome, { report: null, error: outcome.workflow.error }));
      return 1;
    }
    const files = findReport(outcome);
    people.write(`\n${await toReportText(files, await pipeline.peakRss())}\n`);
    if (keep) people.write(toKeepText(pipeline));
    if (json) streams.stdout.write(toJson(pipeline, outcome, { ...files }));
    if (keep) await aborted(signal);
    return 0;
  } finally {
    await pipeline.close();
  }
}

function toFailureText({ workflow, tasks }: RunOutcome, data_dir: string): string {
  const failed = tasks.find(({ status }) => status === "failed");
  const where = failed === undefined ? "" : `\n  in ${failed.node_key}`;
  return `\nThe workflow failed${where}\n  ${failed?.error ?? workflow.error}\n  logs: ${join(data_dir, "logs")}\n`;
}

function toKeepText({ orchestrator, services, blueprint_file, dockerinfo_file }: LocalPipeline): string {
  const urls = Object.entries({ orchestrator, ...services });
  return [
    formatTable(urls.map(([name, url]) => [name, url])),
    "",
    `  Blueprint    ${blueprint_file}`,
    `  Dockerinfo   ${dockerinfo_file}`,
    "",
    "  Running until Ctrl-C. In another terminal: use-cases/file_based_energy_pipeline/submit-workflow.sh",
    "",
  ].join("\n");
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
