import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { UsageError } from "./errors.ts";

/** The world around a command; tests and other tools can give their own. */
export interface CommandContext {
  stdout: { isTTY?: boolean; write(text: string): unknown };
  stderr: { write(text: string): unknown };
  /** Text of standard input. */
  stdin(): Promise<string>;
  env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths start. */
  folder: string;
  /** Fires on Ctrl-C and its like. */
  signal: AbortSignal;
}

/** Where the user called npm or pnpm, which change the folder; else where the command was started. */
export function startFolder(env: CommandContext["env"]): string {
  return env.INIT_CWD || process.cwd();
}

/** The text of a file that the user named. @throws UsageError */
export async function readNamed(what: string, file: string, { folder }: CommandContext): Promise<string> {
  try {
    return await readFile(resolve(folder, file), "utf8");
  } catch (cause) {
    throw new UsageError(
      `Expected ${what} to be a file that can be read, found ${(cause as Error).message}`,
      { cause },
    );
  }
}
