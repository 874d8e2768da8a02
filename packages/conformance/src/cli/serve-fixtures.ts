import { readFile } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import { type FixtureFault, startFixtureHost } from "../target/fixture-host.ts";
import type { CommandContext } from "./context.ts";
import { UsageError } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { type FlagGroup, readFlags } from "./flags.ts";
import { toInteger } from "./read-values.ts";

/** The flags of `serve-fixtures`. */
export const serveFixturesFlags: readonly FlagGroup[] = [
  {
    title: "Options",
    flags: [
      { name: "fixture-host", value: "NAME", help: "under which services reach this machine (127.0.0.1)" },
      { name: "fixture-port", value: "PORT", help: "where it listens (a free one)" },
      { name: "help", help: "this text" },
    ],
  },
];

const mediaTypes: Readonly<Record<string, string>> = {
  ".csv": "text/csv",
  ".json": "application/json",
  ".xml": "application/xml",
};

const faults: readonly FixtureFault[] = [
  "404",
  "500",
  "reset",
  "stall",
  "truncated",
  "redirect-loop",
  "oversize",
];

/** Serves inputs, good and bad, until it is interrupted. @returns the exit code */
export async function serveFixtures(args: readonly string[], context: CommandContext): Promise<number> {
  const { given, positionals } = readFlags("serve-fixtures", args, serveFixturesFlags);
  const port = toInteger("fixture-port", given.get("fixture-port")?.[0] ?? "0", 0, 65_535);
  const files = await Promise.all(
    positionals.map(async (path) => {
      try {
        return { name: basename(path), bytes: await readFile(resolve(context.folder, path)) };
      } catch (cause) {
        throw new UsageError(`Expected files that can be read, found ${(cause as Error).message}`, { cause });
      }
    }),
  );
  const host = await startFixtureHost({ host: given.get("fixture-host")?.[0], port });
  try {
    for (const { name, bytes } of files) {
      host.add(name, { bytes, media_type: mediaTypes[extname(name)] ?? "application/octet-stream" });
      context.stdout.write(`${host.urlOf(name)}\n`);
    }
    context.stdout.write("inputs that misbehave:\n");
    for (const fault of faults) context.stdout.write(`  ${fault.padEnd(14)} ${host.faultUrl(fault)}\n`);
    context.stdout.write("Serving until Ctrl-C.\n");
    if (!context.signal.aborted) {
      await new Promise((done) => context.signal.addEventListener("abort", done, { once: true }));
    }
    return exitCodes.conformant;
  } finally {
    await host.close();
  }
}
