import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { pathOf } from "./arguments.ts";
import { readEnvironment } from "./environment.ts";
import { UsageError } from "./usage-error.ts";

/** The key behind `env:NAME`, `file:PATH` or `-`. Never the key itself: a command line is seen by everybody on the machine. @throws UsageError */
export async function readToken(given: string | undefined): Promise<string | undefined> {
  if (given === undefined) return undefined;
  const key = (await find(given)).trim().split(/\r?\n/)[0]?.trim() ?? "";
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw new UsageError(
    `Expected the key (--token) to be printable ASCII without blanks, it is ${key === "" ? "empty" : "not"}`,
  );
}

async function find(given: string): Promise<string> {
  if (given === "-") return text(process.stdin);
  const [, kind, name = ""] = /^(env|file):(.+)$/.exec(given) ?? [];
  if (kind === "env") {
    const value = readEnvironment()[name];
    if (value !== undefined && value !== "") return value;
    throw new UsageError(`Expected the environment variable ${name} to hold the key, it is not set`);
  }
  if (kind === "file") {
    return readFile(pathOf(name), "utf8").catch((cause: Error) => {
      throw new UsageError(`Expected the key in a file that can be read, found ${cause.message}`, { cause });
    });
  }
  throw new UsageError("Expected --token to be env:NAME, file:PATH or - for standard input");
}
