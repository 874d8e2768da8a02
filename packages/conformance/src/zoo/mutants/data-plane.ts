import { readFile, unlink } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { resolve } from "node:path";
import { answerFault, onData, onExecute } from "../faults.ts";
import { defineMutants } from "../mutant.ts";
import type { Hooks, Made, Reference } from "../pristine.ts";

/** Answers another reference for what a method made. */
function referenceFault(
  fired: () => void,
  method: string,
  change: (reference: Reference, made: Made) => Partial<Reference> | Promise<Partial<Reference>>,
): Hooks {
  return {
    async publish(task, made, next) {
      const reference = await next();
      if (reference === null || task.body.method !== method) return reference;
      fired();
      return { ...reference, ...(await change(reference, made)) };
    },
  };
}

/** Reads inputs over HTTP in another way; undefined reads one as it should be. */
function httpFault(
  fired: () => void,
  read: (reference: Reference, next: (again?: Reference) => Promise<Buffer>) => Promise<Buffer> | undefined,
): Hooks {
  return {
    input(reference, next) {
      const other = reference.protocol === "http" ? read(reference, next) : undefined;
      if (other === undefined) return next();
      fired();
      return other;
    },
  };
}

/** Changes answers to a GET of a payload. */
const dataFault = (fired: () => void, change: Parameters<typeof answerFault>[2]) =>
  answerFault(fired, onData, (body, answer, call) =>
    answer.status === 200 ? change(body, answer, call) : undefined,
  );

/** Base64 of bytes whose length is not divisible by three. */
function padded({ bytes }: Made): string {
  const spaces = [1, 3, 2][bytes.length % 3] ?? 1;
  return Buffer.concat([bytes, Buffer.alloc(spaces, " ")]).toString("base64");
}

/** A port at which nobody listens. */
function deadPort(): Promise<number> {
  const server = createServer();
  return new Promise((done) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}

const references = defineMutants(
  {
    id: "http-with-https",
    breaks: "D01",
    code: "E_URI_PREFIX",
    summary: "says http and answers an https URL",
    fault: (fired) =>
      referenceFault(fired, "Load", ({ uri }) => ({ uri: uri.replace("http://", "https://") })),
  },
  {
    id: "relative-uri",
    breaks: "D01",
    code: "E_URI_PREFIX",
    summary: "answers a path where a URL is due",
    fault: (fired) => referenceFault(fired, "Load", ({ uri }) => ({ uri: new URL(uri).pathname })),
  },
  {
    id: "protocol-upper",
    breaks: "D01",
    code: "E_PROTOCOL_WORD",
    summary: "writes the protocol in upper case",
    fault: (fired) => referenceFault(fired, "Load", () => ({ protocol: "HTTP" })),
  },
  {
    id: "s3-with-https",
    breaks: "D01",
    code: "E_URI_PREFIX",
    summary: "says s3 and answers the bucket's https URL",
    fault: (fired) =>
      referenceFault(fired, "Load", () => ({
        protocol: "s3",
        uri: "https://bucket.s3.example.org/result.json",
      })),
  },
  {
    id: "ftp",
    breaks: "D01",
    code: "E_PROTOCOL_WORD",
    summary: "answers a reference of protocol ftp",
    fault: (fired) =>
      referenceFault(fired, "Load", () => ({ protocol: "ftp", uri: "ftp://files.example.org/result.json" })),
  },
  {
    id: "metadata-null",
    breaks: "D01",
    code: "E_REFERENCE_INVALID",
    summary: "answers metadata: null",
    fault: (fired) => referenceFault(fired, "Echo", () => ({ metadata: null })),
  },
  {
    id: "format-text",
    breaks: "D02",
    code: "E_FORMAT",
    summary: 'names the format "text"',
    fault: (fired) => referenceFault(fired, "Echo", () => ({ format: "text" })),
  },
  {
    id: "format-mime",
    breaks: "D02",
    code: "E_FORMAT",
    summary: "names a media type as format",
    fault: (fired) => referenceFault(fired, "Echo", () => ({ format: "application/json" })),
  },
  {
    id: "format-missing",
    breaks: "D02",
    code: "E_FORMAT",
    summary: "leaves the format out",
    fault: (fired) => referenceFault(fired, "Echo", () => ({ format: undefined as unknown as string })),
  },
  {
    id: "b64-url",
    breaks: "D03",
    code: "E_BASE64",
    summary: "encodes with the alphabet for URLs",
    fault: (fired) =>
      referenceFault(fired, "Echo", (_reference, { bytes }) => ({
        // Three of them, so that one comes to lie where it is encoded as a slash.
        uri: Buffer.concat([bytes, Buffer.from("???")])
          .toString("base64")
          .replaceAll("+", "-")
          .replaceAll("/", "_"),
      })),
  },
  {
    id: "b64-unpadded",
    breaks: "D03",
    code: "E_BASE64",
    summary: "leaves the padding out",
    fault: (fired) =>
      referenceFault(fired, "Echo", (_reference, made) => ({ uri: padded(made).replace(/=+$/, "") })),
  },
  {
    id: "b64-newline",
    breaks: "D03",
    code: "E_BASE64",
    summary: "ends base64 with a line break, as Python's encodebytes does",
    fault: (fired) => referenceFault(fired, "Echo", ({ uri }) => ({ uri: `${uri}\n` })),
  },
  {
    id: "inline-raw",
    breaks: "D03",
    code: "E_BASE64",
    summary: "puts the JSON itself into the uri",
    fault: (fired) => referenceFault(fired, "Echo", (_reference, { bytes }) => ({ uri: bytes.toString() })),
  },
  {
    id: "inline-data-url",
    breaks: "D03",
    code: "E_BASE64",
    summary: "answers a data: URL",
    fault: (fired) =>
      referenceFault(fired, "Echo", ({ uri }) => ({ uri: `data:application/json;base64,${uri}` })),
  },
  {
    id: "inline-empty",
    breaks: "D03",
    code: "E_BASE64",
    summary: "answers an empty uri",
    fault: (fired) => referenceFault(fired, "Echo", () => ({ uri: "" })),
  },
  {
    id: "inline-not-json",
    breaks: "D04",
    code: "E_PAYLOAD_FORMAT",
    summary: "writes what Python's str() makes of a dict, and names it json",
    fault: (fired) =>
      referenceFault(fired, "Echo", (_reference, { bytes }) => {
        const text = Buffer.from(bytes.toString().replaceAll('"', "'"));
        return { uri: text.toString("base64"), size_bytes: text.length, checksum: null };
      }),
  },
);

const inputs = defineMutants(
  {
    id: "ignores-bad-input",
    breaks: "D05",
    code: "E_BAD_INPUT_ACCEPTED",
    summary: "skips inputs that it does not understand",
    fault: (fired) => ({
      readBody(body, next) {
        try {
          return next();
        } catch (error) {
          const read = parsed(body) as { inputs?: unknown } | undefined;
          const isReference = (input: Record<string, unknown> | null) =>
            ["protocol", "uri", "format"].every((name) => typeof input?.[name] === "string");
          if (!Array.isArray(read?.inputs) || !read.inputs.every(isReference)) throw error;
          fired();
          return next(Buffer.from(JSON.stringify({ ...read, inputs: [] })));
        }
      },
    }),
  },
  {
    id: "bad-b64-500",
    breaks: "D05",
    code: "E_SERVER_ERROR",
    summary: "breaks on base64 that is none",
    fault: (fired) => ({
      async call(call, next) {
        const answer = await next();
        const isBad = onExecute.test(call.path) && answer.status === 422 && call.body.includes("@@");
        if (!isBad) return answer;
        fired();
        return { status: 500, body: "Internal Server Error" };
      },
    }),
  },
  {
    id: "drops-query",
    breaks: "D07",
    code: "E_INPUT_URL_CHANGED",
    summary: "fetches inputs without their query",
    fault: (fired) =>
      httpFault(fired, (reference, next) =>
        reference.uri.includes("?")
          ? next({ ...reference, uri: reference.uri.split("?")[0] ?? "" })
          : undefined,
      ),
  },
  {
    id: "ignores-input",
    breaks: "D07",
    code: "E_INPUT_IGNORED",
    summary: "fetches inputs, and works with others",
    fault: (fired) => httpFault(fired, (_reference, next) => next().then(() => Buffer.from("{}"))),
  },
  {
    id: "fetches-nothing",
    breaks: "D07",
    code: "E_INPUT_NOT_FETCHED",
    summary: "takes inputs over HTTP for empty ones",
    fault: (fired) => httpFault(fired, async () => Buffer.from("{}")),
  },
  {
    id: "double-decodes",
    breaks: "D07",
    code: "E_INPUT_URL_CHANGED",
    summary: "decodes the URL of an input before it asks for it",
    fault: (fired) =>
      httpFault(fired, (reference, next) => next({ ...reference, uri: decodeURIComponent(reference.uri) })),
  },
  {
    id: "declared-http-fails",
    breaks: "D07",
    code: "E_INPUT_REFUSED",
    summary: "declares inputs over HTTP, fetches them, and fails",
    fault: (fired) =>
      httpFault(fired, async (_reference, next) => {
        await next();
        throw new Error("Expected a file");
      }),
  },
  {
    id: "input-404-completes",
    breaks: "D08",
    code: "E_BAD_INPUT_ACCEPTED",
    summary: "works with the body of an error page",
    fault: (fired) =>
      httpFault(fired, ({ uri }) =>
        uri.includes("/404/")
          ? fetch(uri).then(async (page) => Buffer.from(await page.arrayBuffer()))
          : undefined,
      ),
  },
  {
    id: "input-stall-hangs",
    breaks: "D08",
    code: "E_DEADLINE",
    summary: "waits without end for the body of an input",
    settings: { timeout_ms: 900 },
    fault: (fired) =>
      httpFault(fired, ({ uri }) => (uri.includes("/stall/") ? new Promise(() => {}) : undefined)),
  },
  {
    id: "truncated-accepted",
    breaks: "D08",
    code: "E_BAD_INPUT_ACCEPTED",
    summary: "works with what came before the connection broke",
    fault: (fired) =>
      httpFault(fired, ({ uri }) => (uri.includes("/truncated/") ? readWhatComes(uri) : undefined)),
  },
  {
    id: "file-missing-completes",
    breaks: "D09",
    code: "E_BAD_INPUT_ACCEPTED",
    summary: "takes a file that is missing for an empty one",
    fault: (fired) => ({
      input: (_reference, next) =>
        next().catch((error: Error) => {
          if (!error.message.includes("cannot be read")) throw error;
          fired();
          return Buffer.from("{}");
        }),
    }),
  },
  {
    id: "file-traversal",
    breaks: "D09",
    code: "E_FILE_OUTSIDE",
    summary: "reads every path, wherever it leads",
    fault: (fired) => ({
      input(reference, next) {
        if (reference.protocol !== "file" || !reference.uri.includes("..")) return next();
        fired();
        return readFile(resolve(reference.uri));
      },
    }),
  },
  {
    id: "index-error-500",
    breaks: "D12",
    code: "E_SERVER_ERROR",
    summary: "takes inputs[0] without looking",
    fault: (fired) =>
      answerFault(fired, onExecute, (_body, _answer, call) => {
        const read = parsed(call.body) as { method?: unknown; inputs?: unknown[] } | undefined;
        const breaks = read?.method === "Echo" && read.inputs?.length === 0;
        return breaks ? { status: 500, body: "Internal Server Error" } : undefined;
      }),
  },
);

/** The JSON of a body; undefined where there is none. */
function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** The bytes of a body, however it ends. */
async function readWhatComes(uri: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of (await fetch(uri)).body ?? []) pieces.push(piece);
  } catch {
    // That is the fault.
  }
  return Buffer.concat(pieces);
}

const outputs = defineMutants(
  {
    id: "data-404",
    breaks: "D06",
    code: "E_DATA_UNREADABLE",
    summary: "names a URL at which there is nothing",
    fault: (fired) => dataFault(fired, () => ({ status: 404, body: { detail: "Not Found" } })),
  },
  {
    id: "data-changes",
    breaks: "D06",
    code: "E_DATA_CHANGED",
    summary: "makes the payload anew at every GET",
    fault(fired) {
      let reads = 0;
      return dataFault(fired, (_body, answer) => ({ body: `${answer.body}${" ".repeat(++reads % 7)}` }));
    },
  },
  {
    id: "data-read-once",
    breaks: "D06",
    code: "E_DATA_CHANGED",
    summary: "forgets a payload once it was read",
    fault(fired) {
      const read = new Set<string>();
      return answerFault(fired, onData, (_body, { status }, { path }) => {
        if (status !== 200) return undefined;
        if (read.has(path)) return { status: 404, body: { detail: "Not Found" } };
        read.add(path);
        return undefined;
      });
    },
  },
  {
    id: "range-suffix-wrong",
    breaks: "D06",
    code: "E_RANGE",
    summary: "answers the first bytes of a payload where the last ones are asked for",
    fault: (fired) =>
      dataFault(fired, (_body, { body, headers }, call) => {
        const [, length] = /^bytes=-(\d+)$/.exec(String(call.headers.range ?? "")) ?? [];
        if (length === undefined) return undefined;
        const whole = body as Buffer;
        return {
          status: 206,
          headers: { ...headers, "content-range": `bytes 0-${Number(length) - 1}/${whole.length}` },
          body: whole.subarray(0, Number(length)),
        };
      }),
  },
  {
    id: "range-wrong",
    breaks: "D06",
    code: "E_RANGE",
    summary: "answers 206 with the beginning, whatever part was asked for",
    fault: (fired) =>
      dataFault(fired, (_body, { body, headers }, call) => {
        const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(String(call.headers.range ?? "")) ?? [];
        if (from === undefined) return undefined;
        const whole = body as Buffer;
        const end = to ? Number(to) : whole.length - 1;
        return {
          status: 206,
          headers: { ...headers, "content-range": `bytes ${from}-${end}/${whole.length}` },
          body: whole.subarray(0, end - Number(from) + 1),
        };
      }),
  },
  {
    id: "data-uri-shared",
    breaks: "D06",
    code: "E_URI_SHARED",
    summary: "serves the newest result under one URL for all",
    fault(fired) {
      let newest = "";
      return {
        async publish(task, _made, next) {
          const reference = await next();
          if (reference?.protocol !== "http") return reference;
          fired();
          newest = task.handle;
          return { ...reference, uri: reference.uri.replace(task.handle, "latest") };
        },
        find: (id, next) => next(id === "latest" ? newest : id),
      };
    },
  },
  {
    id: "file-not-written",
    breaks: "D09",
    code: "E_FILE_MISSING",
    summary: "answers the path of a file that it did not write",
    fault: (fired) =>
      referenceFault(fired, "Save", async ({ uri }) => {
        await unlink(uri);
        return {};
      }),
  },
  {
    id: "s3-no-key",
    breaks: "D10",
    code: "E_S3_ADDRESS",
    summary: "answers a bucket without a key",
    fault: (fired) => referenceFault(fired, "Load", () => ({ protocol: "s3", uri: "s3://results" })),
  },
  {
    id: "grpc-empty-format",
    breaks: "D10",
    code: "E_GRPC_METHOD",
    summary: "answers a grpc reference that names no method",
    fault: (fired) =>
      referenceFault(fired, "Load", ({ uri }) => ({ protocol: "grpc", uri: new URL(uri).host, format: "" })),
  },
  {
    id: "grpc-url",
    breaks: "D10",
    code: "E_GRPC_ADDRESS",
    summary: "answers a URL where host:port is due",
    fault: (fired) => referenceFault(fired, "Load", () => ({ protocol: "grpc", format: "GetResult" })),
  },
  {
    id: "grpc-dead-port",
    breaks: "D10",
    code: "E_NOT_CONNECTABLE",
    summary: "answers a port at which nobody listens",
    fault: (fired) =>
      referenceFault(fired, "Load", async () => ({
        protocol: "grpc",
        uri: `127.0.0.1:${await deadPort()}`,
        format: "GetResult",
      })),
  },
  {
    id: "grpc-not-served",
    breaks: "D10",
    code: "E_DATA_UNREADABLE",
    summary: "answers a gRPC method, with its service, at a port that serves HTTP",
    fault: (fired) =>
      referenceFault(fired, "Load", ({ uri }) => ({
        protocol: "grpc",
        uri: new URL(uri).host,
        format: "GetResult",
        metadata: { service: "pipeline.Loader", method: "GetResult" },
      })),
  },
  {
    id: "size-lies",
    breaks: "D11",
    code: "E_SIZE_WRONG",
    summary: "counts something else than the bytes",
    fault: (fired) =>
      referenceFault(fired, "Load", ({ size_bytes }) => ({ size_bytes: (size_bytes ?? 0) + 1 })),
  },
  {
    id: "checksum-lies",
    breaks: "D11",
    code: "E_CHECKSUM_WRONG",
    summary: "takes the checksum of something else",
    fault: (fired) => referenceFault(fired, "Load", () => ({ checksum: `sha256:${"0".repeat(64)}` })),
  },
  {
    id: "checksum-bare",
    breaks: "D11",
    code: "E_CHECKSUM_FORM",
    summary: "answers a checksum without its algorithm",
    fault: (fired) => referenceFault(fired, "Load", () => ({ checksum: "0".repeat(64) })),
  },
);

/** Faults that cases of the profile data-plane have to catch. */
export const dataPlaneMutants = [...references, ...inputs, ...outputs];
