import { connect } from "node:net";
import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { mapOrigin } from "../../engine/payload.ts";
import { nameOf } from "../alone.ts";
import { type Output, outputsOf } from "./outputs.ts";

export const s3GrpcShape = defineCase({
  id: "D10",
  slug: "data/s3-grpc-shape",
  profile: "data-plane",
  level: "MUST",
  because: "data",
  rules: ["R-REF-06", "R-REF-09", "R-REF-11", "R-GRPC-02", "R-GRPC-04"],
  needs: ["sample"],
  holds:
    "An s3 output names bucket and key; a grpc output names host:port where something listens, and the method to call, which answers",
  consequence:
    "The orchestrator takes the reference, and the next service cannot do anything with it: it does not know what to read, or whom to call.",
  fix: "Answer s3://bucket/key; for grpc the uri host:port under which peers reach the server, and the RPC's name as format.",
  async run(t) {
    const outputs = (await outputsOf(t)).flatMap((output) =>
      output.reference === undefined ? [] : [{ ...output, reference: output.reference }],
    );
    const own = outputs.filter(
      ({ reference }) => reference.protocol === "s3" || reference.protocol === "grpc",
    );
    if (own.length === 0) t.notApplicable("no sample's output is in S3 or behind gRPC");
    for (const output of own) {
      await (output.reference.protocol === "s3" ? judgeS3(t, output) : judgeGrpc(t, output));
    }
  },
});

type Known = Output & { reference: NonNullable<Output["reference"]> };

async function judgeS3(t: CaseContext, { sample, reference, exchange }: Known): Promise<void> {
  const { uri } = reference;
  const names = t.check(/^s3:\/\/[^/]+\/.+/.test(uri), "E_S3_ADDRESS", {
    expected: `s3://bucket/key (${nameOf(sample)})`,
    found: uri,
    at: exchange,
  });
  // Only where the manifest says under which URL the bucket can be read.
  if (!names || mapOrigin(uri, t.origins) === uri) return;
  const { bytes, problem, exchange: read } = await t.payload(reference);
  t.check(bytes !== undefined, "E_DATA_UNREADABLE", {
    level: "SHOULD",
    expected: `the object ${uri} to be there`,
    found: problem ?? "",
    at: [exchange, read],
  });
}

/** Ways in which gRPC itself writes addresses beside host:port. */
const otherNames = /^(dns|ipv4|ipv6|unix|unix-abstract|xds):/;

async function judgeGrpc(t: CaseContext, { sample, reference, exchange }: Known): Promise<void> {
  const { uri, format, metadata } = reference;
  t.check(format.trim() !== "", "E_GRPC_METHOD", {
    expected: `the name of the RPC to call as format (${nameOf(sample)})`,
    found: JSON.stringify(format),
    at: exchange,
  });
  const port = /^(?:\[[\da-fA-F:.]+\]|[^\s:/@]+):(\d{1,5})$/.exec(uri)?.[1];
  const isAddress = port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
  t.check(isAddress, "E_GRPC_ADDRESS", {
    // gRPC libraries take these, other peers do not.
    level: otherNames.test(uri) ? "SHOULD" : "MUST",
    expected: `host:port (${nameOf(sample)})`,
    found: uri,
    at: exchange,
  });
  if (!isAddress) return;
  const here = mapOrigin(`grpc://${uri}`, t.origins).replace(/^\w+:\/\//, "");
  const problem = await whyNoConnection(here, t.settings.timeout_ms);
  if (problem === "unknown") {
    t.tell("E_NOT_CONNECTABLE", {
      expected: `${uri} to be reached from here; add to conformance.yaml: data: {origin-map: {"grpc://${uri}": "grpc://localhost:${port}"}}`,
      found: "a name that is not known here",
      at: exchange,
    });
    return;
  }
  const isThere = t.check(problem === undefined, "E_NOT_CONNECTABLE", {
    level: "SHOULD",
    expected: `a server at ${here} (${nameOf(sample)})`,
    found: problem ?? "",
    at: exchange,
  });
  // Without its service's name nobody but the next service knows what to call; what is served in
  // chunks, and over TLS, is not read here.
  const { service, stream, tls } = metadata ?? {};
  if (!isThere || typeof service !== "string" || stream !== undefined || tls === true) return;
  const { bytes, problem: unread } = await t.payload(reference);
  t.check(bytes !== undefined, "E_DATA_UNREADABLE", {
    level: "SHOULD",
    expected: `${format} of ${service} to answer an empty request (${nameOf(sample)})`,
    found: unread ?? "",
    at: exchange,
  });
}

/** Undefined when somebody listens; "unknown" where the name means nothing here. */
function whyNoConnection(address: string, timeout_ms: number): Promise<string | undefined> {
  const at = address.lastIndexOf(":");
  const host = address.slice(0, at).replace(/^\[|\]$/g, "");
  return new Promise((done) => {
    const socket = connect({ host, port: Number(address.slice(at + 1)) });
    const end = (problem: string | undefined) => {
      socket.destroy();
      done(problem);
    };
    socket.setTimeout(Math.min(timeout_ms, 5000), () => end("no answer"));
    socket.once("connect", () => end(undefined));
    socket.once("error", ({ code, message }: NodeJS.ErrnoException) =>
      end(code === "ENOTFOUND" || code === "EAI_AGAIN" ? "unknown" : message),
    );
  });
}
