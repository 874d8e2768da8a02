import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import { knownFailingSchema } from "../target/manifest.ts";
import { type CommandContext, readNamed } from "./context.ts";
import { UsageError } from "./errors.ts";

/** The file that is read when none is named. */
export const defaultKnownFailing = "known-failing.yaml";

/** A failure that is known, as it is written down. */
export type KnownFailingEntry = z.infer<typeof knownFailingSchema>;

const fileSchema = z.array(knownFailingSchema);

/** What a known-failing file says: a list, alone or under `known-failing`. @throws UsageError */
export async function readKnownFailing(
  file: string | undefined,
  context: CommandContext,
): Promise<KnownFailingEntry[]> {
  if (file === undefined && !existsSync(resolve(context.folder, defaultKnownFailing))) return [];
  const named = file ?? defaultKnownFailing;
  return parseKnownFailing(await readNamed("--known-failing", named, context), named);
}

/** Parses one. @throws UsageError with every problem */
export function parseKnownFailing(text: string, file: string): KnownFailingEntry[] {
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new UsageError(`${file}: ${(cause as Error).message}`, { cause });
  }
  const list = Array.isArray(value)
    ? value
    : ((value as Record<string, unknown> | null)?.["known-failing"] ?? []);
  const parsed = fileSchema.safeParse(list);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${file}: ${path.join(".")}: ${message}`);
  throw new UsageError(problems.join("\n"));
}
