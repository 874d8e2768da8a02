import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, parse } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ControlError, type DataReference } from "@aieffect/control-interface";
import type { FilePlane } from "@aieffect/data-plane-file";
import { CliError } from "../errors/cli-error.ts";
import { printable } from "../printable.ts";

/** Where the data of an output goes. */
export interface TakeOptions {
  /** A file; it is written whole or not at all. */
  file: string | undefined;
  /** Where it goes without a file; undefined for nowhere. */
  output: ({ isTTY?: boolean } & NodeJS.WritableStream) | undefined;
  service: URL;
  token: string | undefined;
  /** Origins as services know them, and as they are reached from here. */
  origins: ReadonlyMap<string, string>;
  signal: AbortSignal;
}

/** Protocols that are fetched here; the others need a program of their own. */
const fetched = ["inline", "file", "http", "https"];

/** What a terminal is shown of an output. */
const mostShown = 4000;

/** Fetches the data of a reference, as the next service of a pipeline would. @throws CliError when it cannot be had as the reference says */
export async function takeOutput(reference: DataReference, options: TakeOptions): Promise<void> {
  const { file, output } = options;
  if (!fetched.includes(reference.protocol)) {
    if (file === undefined) return;
    throw new CliError(
      "output-unreadable",
      `Data of protocol ${reference.protocol} is not fetched from here`,
      {
        state: `the task is complete; its output is ${describe(reference)}`,
        fixes: ["leave -o away"],
      },
    );
  }
  // As much to load as all the rest together, and not needed where a task fails.
  const { createFilePlane } = await import("@aieffect/data-plane-file");
  const plane = createFilePlane({
    data_dir: tmpdir(),
    // Whoever started this may read whatever the file says.
    roots: [parse(reference.protocol === "file" ? reference.uri : tmpdir()).root || "/"],
    peer_keys: options.token === undefined ? {} : { [options.service.host]: options.token },
  });
  try {
    const reachable = { ...reference, uri: mapOrigin(reference, options.origins) };
    if (file !== undefined) await toFile(plane, reachable, file, options.signal);
    else if (output?.isTTY) output.write(await preview(plane, reachable, options.signal));
    else if (output !== undefined) {
      await pipeline(await plane.open(reachable, { signal: options.signal }), output, { end: false });
    }
  } catch (error) {
    if (!(error instanceof ControlError) || options.signal.aborted) throw error;
    throw new CliError("output-unreadable", error.message, {
      state: `the task is complete; its output is ${describe(reference)}`,
      fixes: [
        "--origin-map http://name:port=http://localhost:port, where peers know the service by another name",
      ],
      cause: error,
    });
  } finally {
    plane.close();
  }
}

/** A reference in a line, without what it carries. */
export function describe({ protocol, uri, format, size_bytes }: DataReference): string {
  const size = size_bytes == null ? "" : `, ${size_bytes} bytes`;
  return printable(protocol === "inline" ? `inline ${format}${size}` : `${protocol} ${format}${size} ${uri}`);
}

function mapOrigin({ protocol, uri }: DataReference, origins: ReadonlyMap<string, string>): string {
  if (protocol !== "http" && protocol !== "https") return uri;
  const { origin } = new URL(uri);
  const mapped = origins.get(origin);
  return mapped === undefined ? uri : mapped + uri.slice(origin.length);
}

async function toFile(plane: FilePlane, reference: DataReference, file: string, signal: AbortSignal) {
  const temporary = join(dirname(file), `.${basename(file)}.${process.pid}.part`);
  try {
    await pipeline(await plane.open(reference, { signal }), createWriteStream(temporary));
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    if (error instanceof ControlError) throw error;
    throw new Error(`Could not write ${file}: ${(error as Error).message}`, { cause: error });
  }
}

async function preview(plane: FilePlane, reference: DataReference, signal: AbortSignal): Promise<string> {
  if (!["json", "csv", "xml"].includes(reference.format)) return "";
  const { bytes, isWhole } = await beginning(await plane.open(reference, { signal }));
  const text = bytes.toString();
  const shown = isWhole && reference.format === "json" ? pretty(text) : text;
  const lines = shown.trimEnd().split(/\r?\n/).map(printable);
  return `${lines.join("\n")}\n${isWhole ? "" : "... (-o FILE for all of it)\n"}`;
}

async function beginning(payload: Readable): Promise<{ bytes: Buffer; isWhole: boolean }> {
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

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // Not the JSON it says it is: shown as it came.
    return text;
  }
}
