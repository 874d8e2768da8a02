import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { CommandContext } from "./context.ts";
import { UsageError } from "./errors.ts";

/** The key behind `env:NAME`, `file:PATH`, `-` or the plain text, which is warned about where others can see it. @throws UsageError */
export async function readToken(
  given: string,
  { from, folder }: { from: "flag" | "environment" | "manifest"; folder: string },
  context: CommandContext,
): Promise<string> {
  const token = await find(given, folder, context);
  if (token.plain && from !== "environment") {
    const where =
      from === "flag"
        ? "on the command line is seen by everybody on this machine"
        : "in a manifest ends up in its repository";
    context.stderr.write(`warning: a key ${where}; give it as env:NAME or file:PATH\n`);
  }
  // What cannot stand in a header never was the key.
  if (!/^[\x21-\x7e]+$/.test(token.value)) {
    throw new UsageError(
      `Expected the key (--token) to be printable ASCII without blanks, it is ${token.value === "" ? "empty" : "not"}`,
    );
  }
  return token.value;
}

async function find(given: string, folder: string, { env, stdin }: CommandContext) {
  if (given.startsWith("env:")) {
    const name = given.slice("env:".length);
    const value = env[name];
    if (value === undefined || value === "") {
      throw new UsageError(
        `Expected the environment variable ${name} to hold the key (--token env:${name}), it is not set`,
      );
    }
    return { value, plain: false };
  }
  if (given === "-") return { value: (await stdin()).trim(), plain: false };
  if (!given.startsWith("file:")) return { value: given, plain: true };
  const file = resolve(folder, given.slice("file:".length));
  try {
    // Of a file with several keys, one a line, the first counts.
    return { value: ((await readFile(file, "utf8")).trim().split(/\r?\n/)[0] ?? "").trim(), plain: false };
  } catch (cause) {
    throw new UsageError(
      `Expected the key in a file that can be read (--token), found ${(cause as Error).message}`,
      { cause },
    );
  }
}
