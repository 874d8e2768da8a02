import { createHash } from "node:crypto";
import { mediaTypeOf } from "@aieffect/control-interface";
import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Run } from "../../engine/drive.ts";
import type { Sample } from "../../target/sample.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { allPairs, nameOf } from "../alone.ts";
import { outputsOf } from "./outputs.ts";

export const httpOutput = defineCase({
  id: "D06",
  slug: "data/http-output",
  profile: "data-plane",
  level: "MUST",
  because: "data",
  rules: ["R-DATA-01", "R-DATA-02", "R-DATA-05", "R-REF-05", "R-RUN-04"],
  needs: ["sample"],
  holds:
    "An output over HTTP can be fetched, again and again, over any connection, with the same bytes, and every execution has a URL of its own",
  consequence: "The next service gets no input, or the result of another workflow.",
  fix: "Serve every result under a URL with the execution's own handle in it, from a file or store that nothing else writes to.",
  async run(t) {
    const outputs = (await outputsOf(t)).filter(({ reference }) =>
      /^https?$/.test(reference?.protocol ?? ""),
    );
    if (outputs.length === 0) t.notApplicable("no sample's output is served over HTTP");
    const unreachable: string[] = [];
    for (const { sample } of outputs) {
      const problem = await judgeServed(t, sample);
      if (problem !== undefined) unreachable.push(problem);
    }
    if (unreachable.length === outputs.length) t.untestable(unreachable.join("; "));
  },
});

/** @returns why its output cannot be reached from here */
async function judgeServed(t: CaseContext, sample: Sample): Promise<string | undefined> {
  // A run of its own: nobody has read its output before.
  const run = await t.run(sample);
  const { reference } = run;
  if (reference === undefined) return `${nameOf(sample)} has no output this time (see T13)`;
  const { uri, format } = reference;
  const first = await t.fetch(uri);
  const isForeign = /^https?:/.test(first.request.path);
  if (first.reply === undefined && isForeign) {
    return `${uri} is not reached from here; add to conformance.yaml: data: {origin-map: {"${new URL(uri).origin}": "${t.base_url}"}}`;
  }
  const at = [run.last, first];
  const reply = t.replied(first);
  const isThere = t.check(reply.status === 200, "E_DATA_UNREADABLE", {
    expected: `200 from ${uri} (${nameOf(sample)})`,
    found: `${reply.status}`,
    at,
  });
  if (!isThere) return undefined;
  const type = reply.headers["content-type"] ?? "none";
  t.check(agrees(type, format), "E_CONTENT_TYPE", {
    level: "SHOULD",
    expected: `the media type of ${format}, ${mediaTypeOf(format)}`,
    found: type,
    at: first,
  });
  await judgeRereads(t, uri, reply.body, first);
  await judgeRanges(t, uri, reply.body);
  await judgeOthers(t, sample, run, reply.body, first);
  return undefined;
}

/** Over kept connections, and over a new one. */
async function judgeRereads(t: CaseContext, uri: string, bytes: Buffer, first: Exchange): Promise<void> {
  for (const fresh of [false, true, false]) {
    const again = await t.fetch(uri, { fresh });
    const { reply } = again;
    t.check(reply?.status === 200 && reply.body.equals(bytes), "E_DATA_CHANGED", {
      expected: `the same ${bytes.length} bytes at every GET of ${uri}`,
      found: describeReply(again),
      at: [first, again],
    });
  }
}

async function judgeRanges(t: CaseContext, uri: string, bytes: Buffer): Promise<void> {
  if (bytes.length < 5) return;
  for (const [range, from, to] of [
    ["bytes=1-3", 1, 4],
    ["bytes=2-", 2, bytes.length],
    [`bytes=2-${bytes.length + 99}`, 2, bytes.length],
    ["bytes=-3", bytes.length - 3, bytes.length],
  ] as const) {
    const part = await t.fetch(uri, { headers: { range } });
    const { reply } = part;
    const isWhole = reply?.status === 200 && reply.body.equals(bytes);
    const told = new RegExp(`^bytes ${from}-${to - 1}/(${bytes.length}|\\*)$`);
    const isPart =
      reply?.status === 206 &&
      reply.body.equals(bytes.subarray(from, to)) &&
      told.test(reply.headers["content-range"] ?? "");
    // Who asks for the last bytes finds out when that is refused, but not when it gets others.
    const isRefused = range === "bytes=-3" && (reply?.status ?? 0) >= 400;
    t.check(isWhole || isPart, "E_RANGE", {
      ...(isRefused && { level: "SHOULD" }),
      expected: `206 with "Content-Range: bytes ${from}-${to - 1}/${bytes.length}" and these bytes, or 200 with the whole, for "Range: ${range}"`,
      found: `${describeReply(part)}, Content-Range: ${reply?.headers["content-range"] ?? "none"}`,
      at: part,
    });
  }
}

/** A later execution has another place for its result, and leaves the first one's as it is. */
async function judgeOthers(
  t: CaseContext,
  sample: Sample,
  run: Run,
  bytes: Buffer,
  first: Exchange,
): Promise<void> {
  const pair = allPairs(t).find(([{ method }]) => method === sample.method);
  const other = pair?.find(({ name }) => name !== sample.name) ?? sample;
  const later = await t.run(other);
  const uri = run.reference?.uri ?? "";
  const again = await t.fetch(uri);
  const isSame = again.reply?.status === 200 && again.reply.body.equals(bytes);
  const isShared = later.reference?.uri === uri;
  t.check(isSame, isShared ? "E_URI_SHARED" : "E_DATA_CHANGED", {
    expected: `${uri} to stay as it is when another task completes`,
    found: `${isShared ? "that task's output has the same uri; " : ""}${describeReply(again)}`,
    at: [first, later.last, again],
  });
  if (!isShared || !isSame) return;
  // Equal results may share one that is named by their content.
  t.check(isNamedByContent(uri, bytes), "E_URI_SHARED", {
    level: "SHOULD",
    expected: "another uri for every execution",
    found: `${uri} for two`,
    at: [run.last, later.last],
  });
}

function isNamedByContent(uri: string, bytes: Buffer): boolean {
  return ["sha256", "sha1", "md5", "sha512"].some((algorithm) => {
    const digest = createHash(algorithm).update(bytes).digest("hex");
    // Some take only the beginning of it.
    return uri.toLowerCase().includes(digest.slice(0, 12));
  });
}

function agrees(type: string, format: string): boolean {
  if (/octet-stream/i.test(type)) return true;
  switch (format) {
    case "json":
      return /json/i.test(type);
    case "csv":
      return /csv|text\/plain/i.test(type);
    case "xml":
      return /xml/i.test(type);
    default:
      return !/json|html|^text\//i.test(type);
  }
}

function describeReply({ reply, silence }: Exchange): string {
  return reply === undefined
    ? (silence?.message ?? "nothing")
    : `${reply.status} with ${reply.body.length} bytes: ${JSON.stringify(reply.body.toString().slice(0, 60))}`;
}
