import { access, readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import {
  createInlineReference,
  createReference,
  type DataReference,
  type Format,
  isFormat,
} from "@aieffect/control-interface";
import { UsageError } from "./usage-error.ts";

/** Turns what `--input` was given into references. @throws UsageError saying what it takes */
export async function readInputs(inputs: readonly string[], folder: string): Promise<DataReference[]> {
  return Promise.all(inputs.map((input) => readInput(input, folder)));
}

async function readInput(input: string, folder: string): Promise<DataReference> {
  if (/^\s*\{/.test(input)) return parseReference(input);
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(input) ?? [];
  if (scheme !== undefined) return fromUrl(scheme.toLowerCase(), input);
  if (input.startsWith("inline:")) {
    const path = resolve(folder, input.slice("inline:".length));
    return createInlineReference(await readExisting(path), formatOf(path));
  }
  const path = resolve(folder, input);
  await existing(path, access(path));
  return createReference({ protocol: "file", uri: path, format: formatOf(path) });
}

/** Checked with the rest of the submission; here it only has to be JSON. */
function parseReference(text: string): DataReference {
  try {
    return JSON.parse(text) as DataReference;
  } catch (error) {
    throw new UsageError(`Expected --input to be a DataReference in JSON. ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function fromUrl(scheme: string, uri: string): DataReference {
  const protocol = ({ http: "http", https: "https", s3: "s3", mqtt: "mqtt", mqtts: "mqtt" } as const)[scheme];
  if (protocol === undefined) {
    throw new UsageError(
      `Expected --input with http, https, s3 or mqtt, found "${scheme}"; give a DataReference in JSON instead`,
    );
  }
  return createReference({ protocol, uri, format: formatOf(uri.replace(/[?#].*$/, "")) });
}

function formatOf(path: string): Format {
  const extension = extname(path).slice(1).toLowerCase();
  if (isFormat(extension)) return extension;
  if (extension === "pb") return "protobuf";
  if (extension === "bin") return "binary";
  throw new UsageError(
    `Expected --input to end in .json, .csv, .parquet, .xml, .pb or .bin, found "${path}"; give a DataReference in JSON to say its format`,
  );
}

async function readExisting(path: string): Promise<Buffer> {
  return existing(path, readFile(path));
}

async function existing<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    throw new UsageError(
      `Expected --input to be a file that can be read, found ${(error as Error).message} (${path})`,
      { cause: error },
    );
  }
}
