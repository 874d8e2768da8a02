import { access } from "node:fs/promises";
import { ControlError, createReference, type DataReference, type Format } from "@aieffect/control-interface";
import { hasCsvRows } from "@aieffect/data-plane-file";
import type { Operation } from "../operation.ts";

/** Something published by `ctx.publish` in this execution. */
export interface Published {
  reference: DataReference;
  path: string;
  format: Format;
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
  // What is passed on is its producer's to answer for.
  if (inputs.some(({ protocol, uri }) => protocol === reference.protocol && uri === reference.uri))
    return reference;
  if (published.some((one) => one.reference.uri === reference.uri))
    assertRows(operation, reference, published);
  else await assertUsable(operation, reference);
  return reference;
}

function assertRows(operation: Operation, reference: DataReference, published: readonly Published[]): void {
  const known = published.find((one) => one.reference.uri === reference.uri);
  if (reference.format === "csv" && known?.csv_rows === false && !operation.allow_empty_csv)
    throw noRows(operation);
}

/** A reference that the operation made by itself, as far as it can be looked at from here. */
async function assertUsable(operation: Operation, { protocol, uri, format }: DataReference): Promise<void> {
  if (protocol === "file") {
    await access(uri).catch((cause: unknown) => {
      throw new ControlError(
        "invalid_reference",
        `Expected the file that ${operation.name} returned to exist, found none at ${uri}; write it first, or use ctx.publish`,
        { cause },
      );
    });
  }
  if (format !== "csv" || operation.allow_empty_csv) return;
  if (protocol === "file" && !(await hasCsvRows(uri))) throw noRows(operation);
  if (protocol === "inline" && !(await hasCsvRows([Buffer.from(uri, "base64")]))) throw noRows(operation);
}

function noRows({ name }: Operation): ControlError {
  return new ControlError(
    "invalid_reference",
    `Expected the CSV of ${name} to have at least one row below its header, found none; ` +
      "if an empty result is right, declare the operation with allow_empty_csv: true (R-RUN-08)",
  );
}
