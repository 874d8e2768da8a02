import { createHash, getHashes, type Hash } from "node:crypto";
import { Transform, type TransformCallback } from "node:stream";
import { ControlError, type DataReference } from "@aieffect/control-interface";
import { curable } from "./failures.ts";
import { bufferSize } from "./transfer.ts";

// Of the shake family the length of a digest is not fixed, so that there is nothing to compare with.
const algorithms = new Set(getHashes().filter((name) => !name.startsWith("shake")));

/**
 * Passes a payload through and compares it with the reference's `size_bytes` and `checksum`
 * (R-REF-12, R-REF-13): the stream errors with `unreadable_reference` instead of ending when they
 * differ. A checksum of an algorithm that is not known here is not compared.
 *
 * @param advice what to do about a payload that differs
 */
export function createVerifier(reference: DataReference, what: string, advice: string): Transform {
  const { size_bytes, checksum } = reference;
  const expected = readChecksum(checksum);
  let size = 0;
  const differs = (field: string, wanted: string, found: string) =>
    curable(
      "anew",
      new ControlError(
        "unreadable_reference",
        `Expected ${what} to have ${field} ${wanted}, found ${found}: it is damaged or was changed after it was published; ${advice}`,
      ),
    );
  return new Transform({
    highWaterMark: bufferSize,
    transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback) {
      size += chunk.length;
      if (size_bytes != null && size > size_bytes) {
        return callback(differs("size_bytes", String(size_bytes), `${size} or more`));
      }
      expected?.hash.update(chunk);
      callback(null, chunk);
    },
    flush(callback: TransformCallback) {
      if (size_bytes != null && size !== size_bytes) {
        return callback(differs("size_bytes", String(size_bytes), String(size)));
      }
      const digest = expected?.hash.digest();
      if (expected === undefined || digest === undefined || isDigest(expected.value, digest))
        return callback();
      callback(differs("checksum", String(checksum), `${expected.algorithm}:${digest.toString("hex")}`));
    },
  });
}

/** Whether a payload is compared with this checksum. */
export function canVerify(checksum: string | null | undefined): boolean {
  return algorithmOf(checksum) !== undefined;
}

/** What a checksum is compared with; undefined when there is none, or its algorithm is not known here. */
export function readChecksum(
  checksum: string | null | undefined,
): { hash: Hash; algorithm: string; value: string } | undefined {
  const algorithm = algorithmOf(checksum);
  if (checksum == null || algorithm === undefined) return undefined;
  const colon = checksum.indexOf(":");
  return {
    hash: createHash(algorithm),
    algorithm: checksum.slice(0, colon).toLowerCase(),
    value: checksum.slice(colon + 1).trim(),
  };
}

/** As node:crypto calls it. */
function algorithmOf(checksum: string | null | undefined): string | undefined {
  const spelled = checksum?.slice(0, checksum.indexOf(":")).toLowerCase() ?? "";
  // "sha-256" is how RFC 3230 and many tools spell what node:crypto calls sha256.
  return [spelled, spelled.replaceAll("-", "")].find((name) => algorithms.has(name));
}

/** R-REF-13 does not say how a value is written: hexadecimal in either case, or base64. */
export function isDigest(value: string, digest: Buffer): boolean {
  return value.toLowerCase() === digest.toString("hex") || value === digest.toString("base64");
}
