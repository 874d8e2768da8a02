import {
  createReference,
  type Format,
  formats,
  isFormat,
  maxIdLength,
  type ValidationIssue,
} from "@aieffect/control-interface";
import { readChecksum } from "../read/verify.ts";

/** The fields beside `file` (R-UP-01). */
export interface UploadFields {
  format?: Format;
  checksum?: string;
  workflow_id?: string;
  task_id?: string;
  metadata?: Record<string, unknown>;
}

type FieldName = keyof UploadFields;

/** Reads one field; what is wrong with it is an issue. */
type ReadField = (text: string, issue: (msg: string, type: string) => void) => unknown;

const readers: Record<FieldName, ReadField> = {
  format(text, issue) {
    if (isFormat(text)) return text;
    issue(`Expected one of ${formats.join(", ")} (R-REF-10), found ${quoted(text)}`, "enum");
  },
  checksum(text, issue) {
    if (!/^[^:]+:[\s\S]+$/.test(text)) {
      issue(`Expected algorithm:value, as in sha256:<hex> (R-REF-13), found ${quoted(text)}`, "value_error");
    } else if (readChecksum(text) === undefined) {
      const known = "sha256, sha512 or md5";
      issue(
        `Expected an algorithm that can be computed here, for example ${known}; found ${quoted(text)}`,
        "value_error",
      );
    } else return text;
  },
  workflow_id: readId,
  task_id: readId,
  metadata(text, issue) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      return issue(`Expected a JSON object: ${(error as Error).message}`, "json_invalid");
    }
    if (value === null || typeof value !== "object" || Array.isArray(value)) {
      issue(`Expected a JSON object, found ${quoted(text)}`, "dict_type");
    } else if (!fitsReference(value as Record<string, unknown>)) {
      issue("Expected no number beyond a double's range and at most 100 levels of nesting", "value_error");
    } else return value;
  },
};

/** The fields that a form may have beside `file`. */
export const fieldNames = Object.keys(readers) as FieldName[];

/**
 * Reads the fields of an upload, with every objection at once (R-EXEC-12). A field without text
 * counts as not sent, because browsers send every field of a form.
 *
 * @param sent texts by name, as multer collects them: a list where a name came several times
 */
export function readUploadFields(sent: Readonly<Record<string, unknown>>): {
  fields: UploadFields;
  issues: ValidationIssue[];
} {
  const issues: ValidationIssue[] = [];
  const fields: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(sent)) {
    const issue = (msg: string, type: string) => void issues.push({ loc: ["body", name], msg, type });
    if (name === "file") {
      issue("Expected a file with a file name, found a text; with curl: -F file=@load.csv", "file_expected");
    } else if (!isFieldName(name)) {
      issue(
        `Expected no other fields than file, ${fieldNames.join(", ")}; found this one`,
        "extra_forbidden",
      );
    } else if (typeof text !== "string") {
      issue("Expected this field once and as a text, found it several times or nested", "string_type");
    } else if (text !== "") {
      const value = readers[name](text, issue);
      if (value !== undefined) fields[name] = value;
    }
  }
  return { fields, issues };
}

const byEnding = new Map<string, Format>([
  ["csv", "csv"],
  ["json", "json"],
  ["geojson", "json"],
  ["parquet", "parquet"],
  ["xml", "xml"],
  ["pb", "protobuf"],
  ["binpb", "protobuf"],
  ["bin", "binary"],
]);

const byMediaType = new Map<string, Format>([
  ["text/csv", "csv"],
  ["application/json", "json"],
  ["application/vnd.apache.parquet", "parquet"],
  ["application/xml", "xml"],
  ["text/xml", "xml"],
  ["application/protobuf", "protobuf"],
  ["application/x-protobuf", "protobuf"],
]);

/**
 * The format that a file's name, else its media type, tells (R-UP-03). `application/octet-stream`
 * tells nothing: it is what clients say when they do not know.
 */
export function guessFormat(file_name: string, media_type: string): Format | undefined {
  const ending = /\.([^.]+)$/.exec(file_name)?.[1]?.toLowerCase() ?? "";
  const type = media_type.toLowerCase();
  const suffix = /\+(json|xml)$/.exec(type)?.[1] as Format | undefined;
  return byEnding.get(ending) ?? byMediaType.get(type) ?? suffix;
}

/** A client's file name as it may be shown: without folders and control characters, at most 255 characters. */
export function toShownName(name: string): string {
  const base = name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
  const plain = [...base.replace(/[\p{Cc}\p{Cs}]/gu, "")].slice(0, 255).join("").trim();
  return plain === "." || plain === ".." ? "" : plain;
}

function readId(text: string, issue: (msg: string, type: string) => void): string | undefined {
  if (text.length <= maxIdLength) return text;
  issue(`Expected at most ${maxIdLength} characters (R-EXEC-17), found ${text.length}`, "string_too_long");
}

function isFieldName(name: string): name is FieldName {
  return Object.hasOwn(readers, name);
}

/** Short, because it goes back to the caller and into the log. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);
}

/** Whether a reference can carry it: what JSON reads it may not be able to write. */
function fitsReference(metadata: Record<string, unknown>): boolean {
  try {
    createReference({ protocol: "file", uri: "upload", format: "binary", metadata });
    return true;
  } catch {
    // It names the place, which can be as long as the field.
    return false;
  }
}
