import { access } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ControlError, createReference, type DataReference, type Format } from "@aieffect/control-interface";
import { hasCsvRows } from "@aieffect/data-plane-file";
import type { Operation } from "../operation.ts";
import type { Reachable } from "./make-reachable.ts";

/** Something published by `ctx.publish` in this execution. */
export interface Published extends Reachable {
  path: string;
  format: Format;
  size_bytes: number;
  /** For CSV: there is a row below the header. */
  csv_rows: boolean | undefined;
}

/**
 * What an operation returned, as it may leave the service: a reference that every peer accepts.
 * Everything else is an error that names the rule (R-RUN-07, R-RUN-08, R-RUN-10).
 */
export async function checkResult(
  operation: Operation,
  returned: unknown,
  published: readonly Published[],
  inputs: readonly DataReference[],
): Promise<DataReference> {
  if (returned === undefined || returned === null) {
    throw new ControlError(
      "invalid_reference",
      `Expected ${operation.name} to return a DataReference, found nothing; ` +
        "return what ctx.publish gives, or declare the operation with sink: true (R-RUN-07)",
    );
  }
  const reference = createReference(returned as DataReference);
  assertSmall(operation, reference);
  const known = findPublished(published, reference);
  const isPassedOn = inputs.some(
    ({ protocol, uri }) => protocol === reference.protocol && uri === reference.uri,
  );
  if (known !== undefined) assertContent(operation, known);
  // What is passed on is its producer's to answer for, but what is in hand can be looked at.
  else if (!isPassedOn || reference.protocol === "inline") await assertUsable(operation, reference);
  return reference;
}

/** The publication that a returned reference came from: several of one task may share a URL, not a checksum. */
export function findPublished(
  published: readonly Published[],
  { uri, checksum }: DataReference,
): Published | undefined {
  return published.findLast(({ reference }) => reference.uri === uri && reference.checksum === checksum);
}

/** References are kept with the task and sent to and fro; payloads are for files and URLs. */
const maxReferenceBytes = 4 * 2 ** 20;

function assertSmall({ name }: Operation, reference: DataReference): void {
  const { length } = JSON.stringify(reference);
  if (length <= maxReferenceBytes) return;
  throw new ControlError(
    "invalid_reference",
    `Expected the reference that ${name} returned to have at most ${maxReferenceBytes} bytes, found ${length}; publish large payloads as file or http`,
  );
}

/** Formats in which nothing at all is a payload. */
const mayBeEmpty: readonly string[] = ["binary", "protobuf"];

function assertContent(operation: Operation, { format, size_bytes, csv_rows }: Published): void {
  if (format === "csv") {
    if (csv_rows === false && !operation.allow_empty_csv) throw noRows(operation);
  } else if (size_bytes === 0 && !mayBeEmpty.includes(format)) {
    throw new ControlError(
      "invalid_reference",
      `Expected ${operation.name} to publish ${format}, found no byte at all (R-RUN-07)`,
    );
  }
}

/** A reference that the operation made by itself, as far as it can be looked at from here. */
async function assertUsable(operation: Operation, { protocol, uri, format }: DataReference): Promise<void> {
  const path = uri.startsWith("file:") ? fileURLToPath(uri) : uri;
  if (protocol === "file") {
    await access(path).catch((cause: unknown) => {
      throw new ControlError(
        "invalid_reference",
        `Expected the file that ${operation.name} returned to exist, found none at ${uri}; write it first, or use ctx.publish`,
        { cause },
      );
    });
  }
  if (format !== "csv" || operation.allow_empty_csv) return;
  if (protocol === "file" && !(await hasCsvRows(path))) throw noRows(operation);
  if (protocol === "inline" && !(await hasCsvRows([Buffer.from(uri, "base64")]))) throw noRows(operation);
}

function noRows({ name }: Operation): ControlError {
  return new ControlError(
    "invalid_reference",
    `Expected the CSV of ${name} to have at least one row below its header, found none; ` +
      "if an empty result is right, declare the operation with allow_empty_csv: true (R-RUN-08)",
  );
}
