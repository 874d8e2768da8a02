import { ControlError, createReference, type DataReference } from "@aieffect/control-interface";
import { hasCsvRows } from "@aieffect/data-plane-file";
import type { Operation } from "../operation.ts";

/** Something published by `ctx.publish` in this execution. */
export interface Published {
  reference: DataReference;
  path: string;
  /** For CSV: there is a row below the header. */
  csv_rows: boolean | undefined;
}

/**
 * What an operation returned, as it may leave the service: a reference that every peer accepts, or
 * null of a sink. Everything else is an error that names the rule (R-RUN-07, R-RUN-08, R-RUN-10).
 */
export async function checkResult(
  operation: Operation,
  returned: unknown,
  published: readonly Published[],
  inputs: readonly DataReference[],
): Promise<DataReference | null> {
  if (returned === undefined || returned === null) {
    if (operation.sink) return null;
    throw new ControlError(
      "invalid_reference",
      `Expected ${operation.name} to return a DataReference, found nothing; ` +
        "return what ctx.publish gives, or declare the operation with sink: true (R-RUN-07)",
    );
  }
  const reference = createReference(returned as DataReference);
  if (reference.format === "csv" && !operation.allow_empty_csv && !isOneOf(reference, inputs)) {
    await assertRows(operation, reference, published);
  }
  return reference;
}

async function assertRows(
  operation: Operation,
  reference: DataReference,
  published: readonly Published[],
): Promise<void> {
  const known = published.find((one) => one.reference.uri === reference.uri);
  if (known?.csv_rows ?? (await hasCsvRows(reference))) return;
  throw new ControlError(
    "invalid_reference",
    `Expected the CSV of ${operation.name} to have at least one row below its header, found none; ` +
      "if an empty result is right, declare the operation with allow_empty_csv: true (R-RUN-08)",
  );
}

/** An input that is passed on is its producer's to answer for. */
function isOneOf({ protocol, uri }: DataReference, inputs: readonly DataReference[]): boolean {
  return inputs.some((input) => input.protocol === protocol && input.uri === uri);
}
