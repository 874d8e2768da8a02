import { access, readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import type { SampleReference } from "../target/sample.ts";
import { UsageError } from "./errors.ts";

/** Turns what `--input` was given into references. @throws UsageError saying what it takes */
export async function readInputs(inputs: readonly string[], folder: string): Promise<SampleReference[]> {
  return Promise.all(inputs.map((input) => readInput(input, folder)));
}

async function readInput(input: string, folder: string): Promise<SampleReference> {
  if (/^\s*\{/.test(input)) return parseReference(input);
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(input) ?? [];
  if (scheme !== undefined) return fromUrl(scheme.toLowerCase(), input);
  if (input.startsWith("inline:")) {
    const path = resolve(folder, input.slice("inline:".length));
    const bytes = await existing(path, readFile(path));
    return { protocol: "inline", uri: bytes.toString("base64"), format: formatOf(path) };
  }
  const path = resolve(folder, input);
  await existing(path, access(path));
  return { protocol: "file", uri: path, format: formatOf(path) };
}

/** Sent as it is: what is wrong with it is the service's to say. */
function parseReference(text: string): SampleReference {
  try {
    return JSON.parse(text) as SampleReference;
  } catch (cause) {
    const { message } = cause as Error;
    throw new UsageError(`Expected --input to be a DataReference in JSON. ${message}`, { cause });
  }
}

function fromUrl(scheme: string, uri: string): SampleReference {
  const protocol = { http: "http", https: "https", s3: "s3", mqtt: "mqtt", mqtts: "mqtt" }[scheme];
  if (protocol === undefined) {
    throw new UsageError(
      `Expected --input with http, https, s3 or mqtt, found "${scheme}"; give a DataReference in JSON instead`,
    );
  }
  return { protocol, uri, format: formatOf(uri.replace(/[?#].*$/, "")) };
}

function formatOf(path: string): string {
  const extension = extname(path).slice(1).toLowerCase();
  const format = { pb: "protobuf", bin: "binary" }[extension] ?? extension;
  if (["json", "csv", "parquet", "protobuf", "binary", "xml"].includes(format)) return format;
  throw new UsageError(
    `Expected --input to end in .json, .csv, .parquet, .xml, .pb or .bin, found "${path}"; give a DataReference in JSON to say its format`,
  );
}

async function existing<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    throw new UsageError(
      `Expected --input to be a file that can be read, found ${(cause as Error).message} (${path})`,
      { cause },
    );
  }
}
