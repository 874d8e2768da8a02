import { tmpdir } from "node:os";
import { parse } from "node:path";
import { pipeline } from "node:stream/promises";
import { ControlError, type DataReference } from "@aieffect/control-interface";
import type { FilePlane } from "@aieffect/data-plane-file";
import { readS3Environment } from "../environment.ts";
import { CliError } from "../errors/cli-error.ts";
import { printable } from "../printable.ts";
import { beginning, preview, type TakeOptions, writeWhole } from "./put-output.ts";
import { takeMessage, type Undescribed } from "./take-message.ts";

/**
 * Fetches the data of a reference, as the next service of a pipeline would.
 *
 * @throws CliError when it cannot be had as the reference says; when nobody says how it is to be had,
 * only where a file is wanted
 */
export async function takeOutput(reference: DataReference, options: TakeOptions): Promise<void> {
  const { file, output } = options;
  if (file === undefined && output === undefined) return;
  const state = `the task is complete; its output is ${describe(reference)}`;
  try {
    const missing = await take(reference, options);
    if (missing === undefined) return;
    const { reason, fixes } = missing;
    if (file !== undefined) throw new CliError("output-unreadable", reason, { state, fixes });
    process.stderr.write(`not shown: ${reason}\n  try:  ${fixes.join(" | ")}\n`);
  } catch (error) {
    if (error instanceof CliError && error.state === undefined) {
      throw new CliError(error.problem, error.message, { state, fixes: error.fixes, cause: error });
    }
    if (!(error instanceof ControlError) || options.signal.aborted) throw error;
    throw new CliError("output-unreadable", error.message, {
      state,
      fixes: [fixFor(reference)],
      cause: error,
    });
  }
}

/** @returns what is missing for it */
async function take(reference: DataReference, options: TakeOptions): Promise<Undescribed | undefined> {
  switch (reference.protocol) {
    case "grpc":
      return takeMessage(reference, options);
    case "inline":
    case "file":
    case "http":
    case "https":
      return takeData(reference, options);
    case "s3":
      if (readS3Environment() !== undefined) return takeData(reference, options);
      return {
        reason: "an object of an S3 store is fetched with its keys, of which none are set here",
        fixes: ["AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL_S3, as the service has them"],
      };
    default:
      return {
        reason: `data of protocol ${reference.protocol} is not fetched from here`,
        fixes: ["a program that speaks it, with the output's uri"],
      };
  }
}

async function takeData(reference: DataReference, options: TakeOptions): Promise<undefined> {
  const { file, output, signal } = options;
  // As much to load as all the rest together, and not needed where a task fails.
  const { createFilePlane } = await import("@aieffect/data-plane-file");
  const s3 = reference.protocol === "s3" ? readS3Environment() : undefined;
  const plane = createFilePlane({
    data_dir: tmpdir(),
    // Whoever started this may read whatever the file says.
    roots: [parse(reference.protocol === "file" ? reference.uri : tmpdir()).root || "/"],
    peer_keys: options.token === undefined ? {} : { [options.service.host]: options.token },
    ...(s3 !== undefined && { s3 }),
  });
  try {
    const reachable = { ...reference, uri: mapOrigin(reference, options.origins) };
    if (file !== undefined) await writeWhole(file, await plane.open(reachable, { signal }));
    else if (output?.isTTY) output.write(await previewOf(plane, reachable, signal));
    else if (output !== undefined) {
      await pipeline(await plane.open(reachable, { signal }), output, { end: false });
    }
  } finally {
    plane.close();
  }
}

/** A reference in a line, without what it carries. */
export function describe({ protocol, uri, format, size_bytes }: DataReference): string {
  const size = size_bytes == null ? "" : `, ${size_bytes} bytes`;
  return printable(protocol === "inline" ? `inline ${format}${size}` : `${protocol} ${format}${size} ${uri}`);
}

function fixFor({ protocol }: DataReference): string {
  if (protocol === "s3") return "the AWS_* variables that the service has";
  return protocol === "grpc"
    ? "--origin-map grpc://name:port=grpc://localhost:port, where peers know the service by another name"
    : "--origin-map http://name:port=http://localhost:port, where peers know the service by another name";
}

function mapOrigin({ protocol, uri }: DataReference, origins: ReadonlyMap<string, string>): string {
  if (protocol !== "http" && protocol !== "https") return uri;
  const { origin } = new URL(uri);
  const mapped = origins.get(origin);
  return mapped === undefined ? uri : mapped + uri.slice(origin.length);
}

async function previewOf(plane: FilePlane, reference: DataReference, signal: AbortSignal): Promise<string> {
  if (!["json", "csv", "xml"].includes(reference.format)) return "";
  const { bytes, isWhole } = await beginning(await plane.open(reference, { signal }));
  const isPretty = isWhole && reference.format === "json";
  return preview(isPretty ? Buffer.from(pretty(bytes.toString())) : bytes, isWhole);
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // Not the JSON it says it is: shown as it came.
    return text;
  }
}
