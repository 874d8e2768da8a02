import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ControlError } from "@aieffect/control-interface";
import { printable } from "../printable.ts";

/** Where the data of an output goes, and how it is got at. */
export interface TakeOptions {
  /** A file; it is written whole or not at all. */
  file: string | undefined;
  /** Where it goes without a file; undefined for nowhere. */
  output: Output | undefined;
  service: URL;
  token: string | undefined;
  /** Origins as services know them, and as they are reached from here. */
  origins: ReadonlyMap<string, string>;
  /** Files that describe messages; none: the service is asked. */
  protos: readonly string[];
  signal: AbortSignal;
}

type Output = { isTTY?: boolean } & NodeJS.WritableStream;

/** What a terminal is shown of an output. */
const mostShown = 4000;

/** Writes a file, whole or not at all. @throws ControlError of the source; Error when it cannot be written */
export async function writeWhole(file: string, source: Readable): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.${process.pid}.part`);
  try {
    await pipeline(source, createWriteStream(temporary));
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    if (error instanceof ControlError) throw error;
    throw new Error(`Could not write ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** Writes text to standard output; a terminal is shown its beginning. */
export async function show(text: Buffer, output: Output): Promise<void> {
  const shown = output.isTTY ? preview(text.subarray(0, mostShown), text.length <= mostShown) : text;
  await new Promise<void>((resolve) => output.write(shown, () => resolve()));
}

/** The beginning of a text, as a terminal takes it. */
export function preview(text: Buffer, isWhole: boolean): string {
  const lines = text.toString().trimEnd().split(/\r?\n/).map(printable);
  return `${lines.join("\n")}\n${isWhole ? "" : "... (-o FILE for all of it)\n"}`;
}

/** As much of a payload as a terminal is shown; the rest is not fetched. */
export async function beginning(payload: Readable): Promise<{ bytes: Buffer; isWhole: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of payload) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    // Leaving the loop ends the fetch.
    if (size > mostShown) return { bytes: Buffer.concat(chunks).subarray(0, mostShown), isWhole: false };
  }
  return { bytes: Buffer.concat(chunks), isWhole: true };
}
