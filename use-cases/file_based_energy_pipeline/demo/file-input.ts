import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import { createReference } from "@aieffect/control-interface";
import { type DemoInput, formatBytes, look, UsageError } from "@aieffect/local-run";
import { sample_file } from "./paths.ts";

/** A CSV that is analysed where it lies. @throws UsageError when it is not there */
export function toFileInput(file: string): DemoInput {
  const found = look(file);
  if (!found?.isFile()) {
    const what = found === undefined ? "nothing" : "something else";
    throw new UsageError(`Expected --input to be a CSV file, found ${what} at ${file}`);
  }
  const uri = realpathSync(file);
  const { size } = found;
  return {
    reference: createReference({ protocol: "file", uri, format: "csv", size_bytes: size }),
    description: `${file} (${formatBytes(size)})`,
    data_roots: [dirname(sample_file), dirname(uri)],
    is_long: size >= 64 * 2 ** 20,
  };
}
