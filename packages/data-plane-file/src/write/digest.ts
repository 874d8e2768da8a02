import { createHash } from "node:crypto";
import { createCsvRowWatcher } from "./csv-rows.ts";

/** What is known of a payload that passed by. */
export interface Digest {
  size_bytes: number;
  /** `sha256:<hex>` (R-REF-13). */
  checksum: string;
  /** Of CSV alone: whether there is a row below the header (R-RUN-08). */
  csv_rows?: boolean;
}

/** Measures a payload while it passes by. */
export function createDigest(format: string) {
  const hash = createHash("sha256");
  const csv = format === "csv" ? createCsvRowWatcher() : undefined;
  let size_bytes = 0;
  return {
    update(bytes: Uint8Array): void {
      size_bytes += bytes.length;
      hash.update(bytes);
      csv?.push(bytes);
    },
    /** Call it once, at the end. */
    result(): Digest {
      return {
        size_bytes,
        checksum: `sha256:${hash.digest("hex")}`,
        ...(csv !== undefined && { csv_rows: csv.seen }),
      };
    },
  };
}
