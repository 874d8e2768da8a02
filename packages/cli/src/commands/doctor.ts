import { parseArgs } from "node:util";
import { oneFolder } from "../arguments.ts";
import type { Check, Checked } from "../doctor/check.ts";
import { environmentChecks } from "../doctor/environment-checks.ts";
import { checkPort, machineChecks } from "../doctor/machine-checks.ts";
import { projectChecks } from "../doctor/project-checks.ts";
import { serviceChecks } from "../doctor/service-checks.ts";
import { readEnvironment, readServiceEnvironment } from "../environment.ts";
import { exitCodes } from "../exit-codes.ts";
import { findProjectFolder } from "../project/find-project.ts";
import { readToken } from "../read-token.ts";
import { serviceUrl } from "../service-url.ts";

/** Looks for what could be in the way, here and in the project. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      fix: { type: "boolean" },
      service: { type: "string" },
      token: { type: "string" },
      json: { type: "boolean" },
    },
  });
  const start = oneFolder(positionals, "folder");
  const project = findProjectFolder(start);
  const folder = project ?? start;
  const token = await readToken(values.token);
  const checks: Check[] = [
    ...machineChecks(folder),
    ...(project === undefined ? [] : projectChecks(project)),
    ...environmentChecks(folder, readEnvironment()),
    ...(values.service === undefined ? portChecks() : serviceChecks(serviceUrl(values.service), token)),
  ];
  const all: Checked[] = [];
  for (const check of checks) {
    for (const one of await runCheck(check, values.fix ?? false)) {
      all.push(one);
      if (!values.json) process.stdout.write(toLine(one));
    }
  }
  const failures = all.filter(({ status }) => status === "failure").length;
  const warnings = all.filter(({ status }) => status === "warning").length;
  if (values.json) {
    process.stdout.write(
      `${JSON.stringify({ ok: failures === 0, failures, warnings, checks: all }, null, 2)}\n`,
    );
  } else {
    process.stdout.write(
      `${all.length} checks, ${counted(failures, "failure")}, ${counted(warnings, "warning")}\n`,
    );
  }
  return failures === 0 ? exitCodes.fine : exitCodes.environment;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

async function runCheck({ run, repair }: Check, fix: boolean): Promise<Checked[]> {
  const found = [await run()].flat();
  if (!fix || repair === undefined || found.every(({ status }) => status !== "failure")) return found;
  try {
    const done = await repair();
    // What was repaired is looked at again: only that says that it worked.
    return [await run()].flat().map((one) => ({ ...one, found: `${one.found} (fixed: ${done})` }));
  } catch (error) {
    return found.map((one) => ({
      ...one,
      found: `${one.found} (could not be fixed: ${(error as Error).message})`,
    }));
  }
}

function portChecks(): Check[] {
  const { host, port: text } = readServiceEnvironment();
  const port = Number(text);
  const isPort = Number.isInteger(port) && port >= 0 && port <= 65_535;
  return [
    ...(isPort ? [{ run: () => checkPort("service", port, host) }] : []),
    { run: () => checkPort("orchestrator", 8000, "127.0.0.1") },
  ];
}

const marks = { ok: "ok  ", warning: "warn", failure: "FAIL", skipped: "skip" } as const;

function toLine({ check, status, found, fix }: Checked): string {
  return `${marks[status]}  ${check.padEnd(18)} ${found}${fix === undefined ? "" : `\n${" ".repeat(25)}fix: ${fix}`}\n`;
}
