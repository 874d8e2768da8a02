import { realpathSync, statSync } from "node:fs";
import { createInlineReference, createReference, type DataReference } from "@aieffect/control-interface";
import { formatBytes } from "@aieffect/local-run";
import type { DemoOptions } from "./options.ts";

/** What the workflow begins with. */
export interface DemoInput {
  reference: DataReference;
  /** For people. */
  description: string;
}

/** The input of the workflow: a file where it lies, or how much to generate. */
export function toInput({ input, records }: Pick<DemoOptions, "input" | "records">): DemoInput {
  if (input === undefined) {
    const configuration = JSON.stringify({ num_records: records, output_format: "csv" });
    return {
      reference: createInlineReference(configuration, "json"),
      description: `${records} readings to be generated`,
    };
  }
  const uri = realpathSync(input);
  const { size } = statSync(uri);
  return {
    reference: createReference({ protocol: "file", uri, format: "csv", size_bytes: size }),
    description: `${input} (${formatBytes(size)})`,
  };
}
