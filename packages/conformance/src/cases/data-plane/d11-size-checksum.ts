import { createHash, getHashes } from "node:crypto";
import { defineCase } from "../../engine/case.ts";
import { nameOf } from "../alone.ts";
import { judgeOutputs, outputsOf } from "./outputs.ts";

export const sizeChecksum = defineCase({
  id: "D11",
  slug: "data/size-checksum",
  profile: "data-plane",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-REF-12", "R-REF-13"],
  needs: ["sample"],
  holds: "size_bytes and checksum of an output, where there are any, are well-formed and true of its bytes",
  consequence:
    "The orchestrator fails the task where they are not well-formed; where they are not true, every careful reader takes the payload for damaged.",
  fix: 'Take both from the bytes as they are served, as in {"size_bytes":1024,"checksum":"sha256:<hex>"}; or leave them out.',
  async run(t) {
    const outputs = (await outputsOf(t)).filter(({ raw }) => {
      const { size_bytes, checksum } = raw as { size_bytes?: unknown; checksum?: unknown };
      return size_bytes != null || checksum != null;
    });
    if (outputs.length === 0) t.notApplicable("no output has a size or a checksum");
    judgeOutputs(t, outputs, ({ rule }) => {
      if (rule === "R-REF-12") return "E_SIZE_WRONG";
      return rule === "R-REF-13" ? "E_CHECKSUM_FORM" : undefined;
    });
    for (const { sample, reference, exchange } of outputs) {
      if (reference === undefined) continue;
      const { bytes, exchange: read } = await t.payload(reference);
      // What cannot be read is the business of D06 and D09.
      if (bytes === undefined) continue;
      const at = [exchange, read];
      const { size_bytes, checksum } = reference;
      t.check(size_bytes == null || size_bytes === bytes.length, "E_SIZE_WRONG", {
        expected: `size_bytes ${bytes.length}, which the output of ${nameOf(sample)} has`,
        found: `${size_bytes}`,
        at,
      });
      const actual = checksum == null ? undefined : checksumsOf(bytes, checksum);
      t.check(actual === undefined || actual.includes(digestOf(checksum)), "E_CHECKSUM_WRONG", {
        expected: `checksum ${algorithmOf(checksum)}:${actual?.[0]}, which the output of ${nameOf(sample)} has`,
        found: `${checksum}`,
        at,
      });
    }
  },
});

function algorithmOf(checksum: string | null | undefined): string {
  return checksum?.slice(0, checksum.indexOf(":")) ?? "";
}

/** Hexadecimal digits in any case. */
function digestOf(checksum: string | null | undefined): string {
  const value = checksum?.slice(checksum.indexOf(":") + 1) ?? "";
  return /^[\da-f]+$/i.test(value) ? value.toLowerCase() : value.replace(/=+$/, "");
}

/** The digest as hexadecimal digits and as base64; undefined for algorithms that are not known here. */
function checksumsOf(bytes: Buffer, checksum: string): string[] | undefined {
  const algorithm = algorithmOf(checksum)
    .toLowerCase()
    .replace(/^(sha)-/, "$1");
  if (!getHashes().includes(algorithm)) return undefined;
  const digest = createHash(algorithm).update(bytes).digest();
  const base64 = digest.toString("base64").replace(/=+$/, "");
  return [digest.toString("hex"), base64, digest.toString("base64url")];
}
