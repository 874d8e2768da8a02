import type { CaseContext } from "../../engine/context.ts";
import { readAs } from "../../engine/drive.ts";
import type { Sample } from "../../target/sample.ts";
import type { Exchange } from "../../wire/exchange.ts";

/**
 * Whether two answers to output name the same result; undefined where it cannot be told. A signature
 * in the URL's query may differ, and so may what the manifest's `compare` leaves out.
 */
export async function isSameResult(
  t: CaseContext,
  sample: Sample,
  one: Exchange,
  other: Exchange,
): Promise<boolean | undefined> {
  const [a, b] = [one, other].map((exchange) => readAs(exchange, "output")?.output);
  if (a === undefined || b === undefined) return undefined;
  if (a.protocol !== b.protocol || a.format !== b.format) return false;
  if (withoutQuery(a.uri) === withoutQuery(b.uri)) return true;
  const [first, second] = await Promise.all(
    [a, b].map((reference) => t.outputOf({ sample, reference, end: "complete" })),
  );
  if (first?.fingerprint === undefined || second?.fingerprint === undefined) return undefined;
  return first.fingerprint === second.fingerprint;
}

function withoutQuery(uri: string): string {
  return /^https?:/i.test(uri) ? uri.replace(/\?.*$/, "") : uri;
}
