import { extname } from "node:path";
import {
  createReference,
  type DataReference,
  type Format,
  formats,
  isFormat,
} from "@aieffect/control-interface";
import { CliError } from "../errors/cli-error.ts";
import { UsageError } from "../usage-error.ts";

/** What one `-i` was given. */
export type GivenInput =
  /** `name=value`: a parameter, as text. */
  | { kind: "parameter"; name: string; text: string }
  /** `name=@path`: a file of this machine. */
  | { kind: "file"; name: string; path: string; format: Format }
  /** `name=@http://...` or `name=@{...}`: where the data is already. */
  | { kind: "reference"; name: string; reference: DataReference };

/** Reads one `-i`. `@@` at the beginning of a value stands for one `@`. @throws UsageError, CliError */
export function parseInput(given: string): GivenInput {
  const at = given.indexOf("=");
  const name = given.slice(0, at);
  const value = given.slice(at + 1);
  if (at < 1) throw new UsageError(`Expected -i to be name=value or name=@file, found "${given}"`);
  if (!value.startsWith("@")) return { kind: "parameter", name, text: value };
  if (value.startsWith("@@")) return { kind: "parameter", name, text: value.slice(1) };
  const source = value.slice(1);
  if (source.startsWith("{")) return { kind: "reference", name, reference: parseReference(source) };
  const { path, format } = splitFormat(source);
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(path) ?? [];
  if (scheme === undefined) return { kind: "file", name, path, format: format ?? formatOf(path) };
  const protocol = ({ http: "http", https: "https", s3: "s3", mqtt: "mqtt", mqtts: "mqtt" } as const)[
    scheme.toLowerCase()
  ];
  if (protocol === undefined) {
    throw new UsageError(
      `Expected a URL of http, https, s3 or mqtt behind @, found "${scheme}"; give a DataReference in JSON instead`,
    );
  }
  const reference = createReference({
    protocol,
    uri: path,
    format: format ?? formatOf(path.replace(/[?#].*$/, "")),
  });
  return { kind: "reference", name, reference };
}

/** The format of a file by the ending of its name. @throws CliError saying how to give it */
function formatOf(path: string): Format {
  const ending = extname(path).slice(1).toLowerCase();
  const format = { pb: "protobuf", bin: "binary" }[ending] ?? ending;
  if (isFormat(format)) return format;
  throw new CliError("unknown-format", `The name ${path} does not tell the format`, {
    fixes: [`@${path};format=csv (one of ${formats.join(", ")})`],
  });
}

function splitFormat(source: string): { path: string; format: Format | undefined } {
  const [, path, format] = /^(.*);format=([^;]*)$/s.exec(source) ?? [];
  if (path === undefined) return { path: source, format: undefined };
  if (isFormat(format)) return { path, format };
  throw new CliError("unknown-format", `Expected one of ${formats.join(", ")}, found "${format}"`);
}

/** Sent as it is: what is wrong with it is the service's to say. */
function parseReference(text: string): DataReference {
  try {
    return JSON.parse(text) as DataReference;
  } catch (cause) {
    throw new UsageError(`Expected a DataReference in JSON behind @. ${(cause as Error).message}`, { cause });
  }
}
