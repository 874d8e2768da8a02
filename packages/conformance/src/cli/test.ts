import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import type { RunEvent } from "../engine/events.ts";
import type { RunReport } from "../engine/report.ts";
import { planSuite, runSuite } from "../engine/run.ts";
import { toBadge } from "../report/badge.ts";
import { createConsoleReporter } from "../report/console.ts";
import { type ReportDocument, toDocument } from "../report/document.ts";
import { bodyFileOf, planEvidence, writeEvidence } from "../report/evidence.ts";
import { toHtml } from "../report/html.ts";
import { toJUnit } from "../report/junit.ts";
import { toMarkdown } from "../report/markdown.ts";
import { createNdjsonReporter } from "../report/ndjson.ts";
import { oneLine } from "../report/printable.ts";
import { type SpawnedTarget, spawnTarget } from "../target/spawn.ts";
import type { CommandContext } from "./context.ts";
import { UnreachableError } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { readFlags } from "./flags.ts";
import { reach } from "./reach.ts";
import { type FileKind, fileKinds, namesInFolder } from "./read-reports.ts";
import { testFlags } from "./test-flags.ts";
import { readTestPlan, type TestPlan } from "./test-plan.ts";

/** Judges a service. @returns the exit code */
export async function test(args: readonly string[], context: CommandContext): Promise<number> {
  const { given, positionals } = readFlags("test", args, testFlags);
  const plan = await readTestPlan(given, positionals, context);
  if (plan.dry_run) return dryRun(plan, context);
  const spawned = plan.spawn === undefined ? undefined : await start(plan.spawn, context);
  try {
    if (spawned === undefined) await reach(plan.run.url);
    const report = await runWithReports({ ...plan, run: { ...plan.run, spawned } }, context);
    if (report.interrupted) return exitCodes.interrupted;
    if (report.counts.fail > 0) return exitCodes.failed;
    if (report.stale.length > 0) return exitCodes.stale;
    return plan.require_proof && report.verdict === "NOT PROVEN" ? exitCodes.notProven : exitCodes.conformant;
  } finally {
    await spawned?.close();
  }
}

async function start(
  spawn: NonNullable<TestPlan["spawn"]>,
  { signal }: CommandContext,
): Promise<SpawnedTarget> {
  try {
    return await spawnTarget(spawn);
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new UnreachableError((cause as Error).message, { cause });
  }
}

async function runWithReports(plan: TestPlan, context: CommandContext): Promise<RunReport> {
  const { secrets, out } = plan;
  const files = [
    ...plan.reports.files.map(({ kind, path }) => ({
      kind,
      path: path === "-" ? "-" : resolve(context.folder, path),
    })),
    ...(out === undefined ? [] : fileKinds.map((kind) => ({ kind, path: join(out, namesInFolder[kind]) }))),
  ];
  for (const { path } of files) if (path !== "-") await mkdir(dirname(path), { recursive: true });
  const keepsEvidence = out !== undefined && plan.evidence;
  const listeners: ((event: RunEvent) => void)[] = [];
  if (plan.reports.console) {
    // What a program reads from standard output is not to be mixed with what people read.
    const isTaken = files.some(({ path }) => path === "-");
    listeners.push(
      createConsoleReporter({
        output: isTaken ? context.stderr : context.stdout,
        color: plan.color,
        quiet: plan.quiet,
        secrets,
        ...(keepsEvidence && {
          evidenceOf: (id) => join(relative(context.folder, out) || ".", "evidence", id),
        }),
      }),
    );
  }
  const streams: WriteStream[] = [];
  for (const { path } of files.filter(({ kind }) => kind === "ndjson")) {
    const stream = path === "-" ? undefined : createWriteStream(path);
    if (stream !== undefined) streams.push(stream);
    listeners.push(createNdjsonReporter((line) => (stream ?? context.stdout).write(line), secrets));
  }
  const report = await runSuite({
    ...plan.run,
    onEvent: (event) => {
      for (const listener of listeners) listener(event);
    },
  });
  const evidence = keepsEvidence ? planEvidence(report) : [];
  const document = toDocument(report, {
    secrets,
    settings: { ...plan.run.settings, seed: report.seed },
    bodyFile: (exchange) => bodyFileOf(evidence, exchange),
  });
  for (const { kind, path } of files) {
    if (kind === "ndjson") continue;
    const text = render(kind, document);
    if (path === "-") context.stdout.write(text);
    else await writeFile(path, text);
  }
  if (keepsEvidence) await writeEvidence(out, evidence, report, secrets);
  await Promise.all(streams.map((stream) => new Promise((done) => stream.end(done))));
  return report;
}

function render(kind: Exclude<FileKind, "ndjson">, document: ReportDocument): string {
  switch (kind) {
    case "json":
      return `${JSON.stringify(document, null, 2)}\n`;
    case "junit":
      return toJUnit(document);
    case "md":
      return toMarkdown(document);
    case "html":
      return toHtml(document);
    case "badge":
      return toBadge(document);
  }
}

async function dryRun({ run, spawn }: TestPlan, { stdout }: CommandContext): Promise<number> {
  // What the service says of itself is asked for where it is up; without that the plan is less sure.
  const planned = await planSuite({
    ...run,
    spawned: spawn === undefined ? undefined : ({} as SpawnedTarget),
  });
  const running = planned.filter(({ status }) => status === undefined);
  stdout.write(`${running.length} of ${planned.length} cases would run against ${run.url}:\n`);
  for (const { case: one } of running) stdout.write(`  ${one.id.padEnd(4)} ${one.slug}\n`);
  const rest = planned.filter(({ status }) => status !== undefined);
  if (rest.length > 0) stdout.write("\nnot these:\n");
  for (const { case: one, status, reason } of rest) {
    stdout.write(`  ${one.id.padEnd(4)} ${one.slug}: ${status}: ${oneLine(reason ?? "", 1000)}\n`);
  }
  return exitCodes.conformant;
}
