import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { checkSignature, type S3Authority, type S3Refusal, type WireRequest } from "./s3-signature.ts";
import { tempFolder } from "./temp-folder.ts";

/** What becomes of a request instead of what the store would make of it. */
export type S3Fault =
  | { status: number; headers?: Record<string, string>; body?: string | Uint8Array }
  /** The connection is cut, after so many bytes of the store's answer; -1: before the store was asked. */
  | { cut_after: number };

/** What a store can be told. */
export interface S3ServerOptions {
  /** Buckets that are there. @default ["results"] */
  buckets?: readonly string[];
  /** Who may call. @default an access key, a secret, region us-east-1 and the system's clock */
  authority?: Partial<S3Authority>;
  /** Asked about every request whose signature is good, after it was noted; undefined: the store answers. */
  fault?: (request: S3Request) => S3Fault | undefined;
}

/** A request that came in. */
export interface S3Request extends WireRequest {
  /** Undefined when the signature is good. */
  refusal: S3Refusal | undefined;
}

/** A store that runs. */
export interface S3Server {
  endpoint: string;
  access_key_id: string;
  secret_access_key: string;
  requests: S3Request[];
  /** Multipart uploads that were neither completed nor aborted. */
  unfinished(bucket?: string): Promise<string[]>;
}

/**
 * Starts a real S3 store on a free port of 127.0.0.1, with its data in a temporary folder, behind a
 * gate that recomputes every signature and refuses what is not signed: the store itself does not
 * look. Both are stopped when the test has ended.
 */
export async function startS3(options: S3ServerOptions = {}): Promise<S3Server> {
  const { buckets = ["results"], fault } = options;
  const authority: S3Authority = {
    access_key_id: "AKIATESTTESTTESTTEST",
    secret_access_key: "secret/of+the=tests",
    region: "us-east-1",
    now: Date.now,
    ...options.authority,
  };
  const directory = await tempFolder();
  const store = await startStore(directory, buckets);
  const requests: S3Request[] = [];
  const uploadsOf = (bucket: string) => join(directory, bucket, "._S3rver_uploads");

  const gate = createServer((incoming, response) => {
    pass(incoming, response).catch(() => incoming.socket.destroy());
  });

  async function pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", headers, url = "" } = incoming;
    const request: WireRequest = { method, url, headers, body: await buffer(incoming) };
    const seen: S3Request = { ...request, refusal: checkSignature(request, authority) };
    requests.push(seen);
    if (seen.refusal !== undefined) return refuse(response, method, seen.refusal);
    const wrong = fault?.(seen);
    if (wrong === undefined || "cut_after" in wrong) {
      if (wrong !== undefined && wrong.cut_after < 0) throw new Error("cut");
      // The store itself takes the bucket in the path alone.
      const inHost = buckets.find((name) => headers.host?.startsWith(`${name}.`));
      if (inHost !== undefined) request.url = `/${inHost}${url}`;
      // The store itself has no AbortMultipartUpload.
      const upload = /\?uploadId=([\da-f]{32})$/.exec(url)?.[1];
      const bucket = request.url.split(/[/?]/)[1] as string;
      if (method === "DELETE" && upload !== undefined)
        return abort(response, join(uploadsOf(bucket), upload));
      return ask(request, response, store, wrong?.cut_after ?? Number.POSITIVE_INFINITY);
    }
    response.writeHead(wrong.status, wrong.headers).end(wrong.body);
  }

  async function abort(response: ServerResponse, folder: string): Promise<void> {
    if (!existsSync(folder))
      return refuse(response, "DELETE", {
        status: 404,
        code: "NoSuchUpload",
        message: "The specified upload does not exist.",
      });
    await rm(folder, { recursive: true });
    response.writeHead(204).end();
  }

  await new Promise<void>((resolve) => gate.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    gate.closeAllConnections();
    gate.close();
  });
  return {
    endpoint: `http://127.0.0.1:${(gate.address() as AddressInfo).port}`,
    access_key_id: authority.access_key_id,
    secret_access_key: authority.secret_access_key,
    requests,
    unfinished: (bucket = "results") => readdir(uploadsOf(bucket)).catch(() => []),
  };
}

async function startStore(directory: string, buckets: readonly string[]): Promise<number> {
  const { default: S3rver } = await import("s3rver");
  await mkdir(directory, { recursive: true });
  const store = new S3rver({
    address: "127.0.0.1",
    port: 0,
    silent: true,
    directory,
    vhostBuckets: false,
    configureBuckets: buckets.map((name) => ({ name })),
  });
  const { port } = await store.run();
  onTestFinished(async () => {
    store.httpServer.closeAllConnections();
    await store.close();
  });
  return port;
}

/** Hands a request that was checked on to the store, which needs no signature. */
function ask(
  { method, url, headers, body }: WireRequest,
  response: ServerResponse,
  port: number,
  cut_after: number,
) {
  const [path, query = ""] = url.split("?");
  const plain = query.split("&").filter((pair) => !pair.startsWith("X-Amz-"));
  const { authorization: _, expect: __, connection: ___, ...rest } = headers;
  return new Promise<void>((resolve, reject) => {
    const call = forward({
      host: "127.0.0.1",
      port,
      method,
      path: plain.length === 0 || plain[0] === "" ? path : `${path}?${plain.join("&")}`,
      headers: { ...rest, host: `127.0.0.1:${port}`, "content-length": body.length },
      agent: false,
    });
    call.on("error", reject);
    call.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      let left = cut_after;
      answer.on("data", (chunk: Buffer) => {
        response.write(chunk.subarray(0, Math.max(0, left)));
        left -= chunk.length;
        // Given a moment to go out, so that the cut is in the middle of the body.
        if (left < 0) setTimeout(() => response.destroy(), 5);
      });
      answer.on("end", () => {
        if (left >= 0) response.end();
        resolve();
      });
      answer.on("error", reject);
    });
    call.end(body);
  });
}

function refuse(
  response: ServerResponse,
  method: string,
  { status, code, message, more = {} }: S3Refusal,
): void {
  const elements = Object.entries({ Code: code, Message: message, ...more }).map(
    ([name, text]) => `<${name}>${text.replaceAll("&", "&amp;").replaceAll("'", "&apos;")}</${name}>`,
  );
  response.writeHead(status, { "content-type": "application/xml" });
  response.end(
    method === "HEAD" ? "" : `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${elements.join("")}</Error>`,
  );
}
