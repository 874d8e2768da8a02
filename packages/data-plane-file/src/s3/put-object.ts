import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { ControlError, mediaTypeOf } from "@aieffect/control-interface";
import { toTraceHeaders } from "../read/ask.ts";
import { assertWanted } from "../read/failures.ts";
import type { StoredPayload } from "../write/store.ts";
import { type S3Object, toS3Uri } from "./address.ts";
import { failureOf, type S3Call, type S3Client } from "./client.ts";
import type { S3Body } from "./exchange.ts";
import { textOf, toXmlText } from "./xml.ts";

/** From which size on, and how, a payload is sent in parts. */
export interface PartOptions {
  /** Larger payloads are sent in parts, in bytes. */
  above_bytes: number;
  /** Size of a part, in bytes; larger where 10,000 of them would not do. */
  part_bytes: number;
  /** Parts that are under way at once. */
  parallel: number;
}

const mostParts = 10_000;

/**
 * Puts a stored payload into a bucket, whole or not at all, in constant memory: in one call, or in
 * parts, of which each is tried again by itself. On failure and abort the parts are removed.
 *
 * @throws ControlError as {@link S3Client.call}, or `internal` when the file was changed meanwhile
 */
export async function putObject(
  client: S3Client,
  stored: StoredPayload,
  object: S3Object,
  options: PartOptions & { signal?: AbortSignal | undefined; traceparent?: string | undefined },
): Promise<void> {
  const { above_bytes, signal, traceparent } = options;
  const traced = (call: S3Call) =>
    client.call({ ...call, headers: { ...call.headers, ...toTraceHeaders(traceparent) } });
  const headers = { "content-type": mediaTypeOf(stored.format) };
  if (stored.size_bytes > above_bytes) return putParts(traced, stored, object, headers, options, signal);
  const body = toBody(stored, 0, stored.size_bytes, hexOf(stored));
  await traced({ method: "PUT", object, headers, body, signal });
}

interface Part {
  number: number;
  body: S3Body;
}

interface SentPart {
  number: number;
  etag: string;
}

async function putParts(
  call: S3Client["call"],
  stored: StoredPayload,
  object: S3Object,
  headers: Record<string, string>,
  { part_bytes, parallel }: PartOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  const begun = await call({ method: "POST", object, query: "uploads=", headers, signal });
  const upload = textOf(begun.body, "UploadId");
  if (!upload) throw oddAnswer(object, "an UploadId");
  const query = `uploadId=${encodeURIComponent(upload)}`;
  try {
    const size = Math.max(part_bytes, Math.ceil(stored.size_bytes / mostParts));
    const sent = await sendParts(measureParts(stored, size, signal));
    await complete(sent);
  } catch (error) {
    throw await afterAbort(error as Error);
  }

  /** Several at a time; all of them have ended when it settles. */
  async function sendParts(plan: AsyncGenerator<Part>): Promise<SentPart[]> {
    const failed = new AbortController();
    const wanted = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
    const sent: SentPart[] = [];
    let failure: unknown;
    async function sendNext() {
      try {
        for await (const part of plan) sent.push(await sendPart(part, wanted));
      } catch (error) {
        // The others are given up because of the first that failed; that is the one to tell.
        failure ??= error;
        failed.abort();
      }
    }
    await Promise.all(Array.from({ length: parallel }, sendNext));
    if (failure !== undefined) throw failure;
    return sent.sort((one, other) => one.number - other.number);
  }

  async function sendPart({ number, body }: Part, wanted: AbortSignal): Promise<SentPart> {
    const answer = await call({
      method: "PUT",
      object,
      query: `partNumber=${number}&${query}`,
      body,
      signal: wanted,
    });
    const { etag } = answer.headers;
    if (!etag) throw oddAnswer(object, `an ETag for part ${number}`);
    return { number, etag };
  }

  async function complete(sent: SentPart[]): Promise<void> {
    const list = sent.map(
      ({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${toXmlText(etag)}</ETag></Part>`,
    );
    const xml = Buffer.from(
      `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${list.join("")}</CompleteMultipartUpload>`,
    );
    const sha256 = createHash("sha256").update(xml).digest("hex");
    const body = { size_bytes: xml.length, sha256, open: () => [xml] };
    const type = { "content-type": "application/xml" };
    try {
      await call({ method: "POST", object, query, headers: type, body, signal });
    } catch (error) {
      // The answer of an earlier attempt may have been lost, and the upload be complete.
      if (failureOf(error)?.code !== "NoSuchUpload" || !(await isThere())) throw error;
    }
  }

  async function isThere(): Promise<boolean> {
    try {
      const { headers: found } = await call({ method: "HEAD", object, signal });
      return Number(found["content-length"]) === stored.size_bytes;
    } catch {
      // That it cannot be seen says no more than the error which led here.
      return false;
    }
  }

  async function afterAbort(error: Error): Promise<Error> {
    try {
      // Whoever gave up does not wait for this; it must not go on for ever either.
      await call({ method: "DELETE", object, query, signal: AbortSignal.timeout(30_000) });
      return error;
    } catch (cause) {
      if (failureOf(cause)?.code === "NoSuchUpload" || !(error instanceof ControlError)) return error;
      return new ControlError(
        error.code,
        `${error.message}. What was sent stays in the bucket as the unfinished upload ${upload}; a lifecycle rule with AbortIncompleteMultipartUpload removes it`,
        { cause: error },
      );
    }
  }
}

/** Reads the file once to know each part's hash before it is sent, and at the end whether it is still what was stored. */
async function* measureParts(
  stored: StoredPayload,
  part_bytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Part> {
  const whole = createHash("sha256");
  for (let start = 0, number = 1; start < stored.size_bytes; start += part_bytes, number++) {
    assertWanted("Publishing the payload", signal);
    const size = Math.min(part_bytes, stored.size_bytes - start);
    const hash = await digest(readExactly(stored, start, size), whole);
    yield { number, body: toBody(stored, start, size, hash) };
  }
  if (whole.digest("hex") !== hexOf(stored)) throw changed(stored);
}

async function digest(pieces: AsyncIterable<Uint8Array>, whole: Hash): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of pieces) {
    hash.update(piece);
    whole.update(piece);
  }
  return hash.digest("hex");
}

function toBody(stored: StoredPayload, start: number, size_bytes: number, sha256: string): S3Body {
  return { size_bytes, sha256, open: () => readExactly(stored, start, size_bytes) };
}

/** No byte less: the store would wait for the rest. */
async function* readExactly(stored: StoredPayload, start: number, size: number): AsyncGenerator<Uint8Array> {
  if (size === 0) return;
  let read = 0;
  try {
    const file = createReadStream(stored.path, { start, end: start + size - 1, highWaterMark: 256 * 1024 });
    for await (const chunk of file) {
      read += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  } catch (cause) {
    throw new ControlError(
      "internal",
      `Could not read the payload ${stored.path}: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
  if (read !== size) throw changed(stored);
}

function changed({ path }: StoredPayload): ControlError {
  return new ControlError(
    "internal",
    `Expected the payload ${path} to be as it was stored, found it changed; publish a file only when it is complete`,
  );
}

function hexOf({ checksum }: StoredPayload): string {
  return checksum.slice("sha256:".length);
}

function oddAnswer(object: S3Object, expected: string): ControlError {
  return new ControlError(
    "invalid_reply",
    `Could not publish ${toS3Uri(object)}: expected the store to answer ${expected}, found none; is \`endpoint\` an S3 store?`,
  );
}
