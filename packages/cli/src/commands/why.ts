import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, relative, resolve, sep } from "node:path";
import { parseArgs } from "node:util";
import { type Zone, zoneOf } from "@aieffect/generators";
import { pathOf } from "../arguments.ts";
import { CliError } from "../errors/cli-error.ts";
import { exitCodes } from "../exit-codes.ts";
import { findProject } from "../project/find-project.ts";
import { readBase } from "../project/read-base.ts";
import { UsageError } from "../usage-error.ts";

const meanings: Readonly<Record<Zone, string>> = {
  yours: "it is never touched after creation",
  managed: "it comes from the template; what you change stays when a later version is merged in",
  derived: "it is made from other files and rewritten; change those instead",
};

/** Says whose a file is. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: "boolean" } },
  });
  const [given] = positionals;
  if (given === undefined || positionals.length > 1) {
    throw new UsageError(`Expected one file, found ${positionals.length}`);
  }
  const file = pathOf(given);
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory()) {
    const what = found === undefined ? "nothing" : "a folder";
    throw new CliError("input-unreadable", `Expected ${given} to be a file, found ${what}`, {
      fixes: ["aieffect why README.md, for example"],
    });
  }
  const { folder, manifest } = findProject(dirname(file));
  const path = relative(folder, resolve(file)).split(sep).join("/");
  const { zone, because } = zoneOf(manifest, path);
  const changed = zone === "managed" ? await isChanged(folder, path) : undefined;
  if (values.json) {
    const result = { path, project: folder, zone, pattern: because ?? null, changed: changed ?? null };
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return exitCodes.fine;
  }
  const rule = because === undefined ? "no pattern of aieffect.json names it" : `aieffect.json: ${because}`;
  const edited = changed === undefined ? "" : changed ? "; you have changed it" : "; it is as it was created";
  process.stdout.write(`${path} is ${zone}: ${meanings[zone]}${edited} (${rule})\n`);
  return exitCodes.fine;
}

/** Whether a managed file differs from what was created; undefined for one that has no base, as the base itself. */
async function isChanged(folder: string, path: string): Promise<boolean | undefined> {
  if (!existsSync(resolve(folder, ".aieffect/base.tgz"))) return undefined;
  const base = (await readBase(folder)).get(path);
  return base === undefined ? undefined : !base.equals(readFileSync(resolve(folder, path)));
}
