import { createReadStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { Writable } from "node:stream";
import { ControlError, type Format } from "@aieffect/control-interface";
import multer from "multer";
import { resolveUploadOptions, type UploadOptions } from "../options.ts";
import type { FilePlane } from "../plane.ts";
import { isDigest, readChecksum } from "../read/verify.ts";
import type { Digest } from "../write/digest.ts";
import type { UnnamedFile } from "../write/write-file.ts";
import {
  type Arrival,
  type Arrived,
  createArrival,
  type ReceiveCall,
  type ReceivedUpload,
} from "./upload-arrival.ts";
import { tooLarge, UploadBody } from "./upload-body.ts";
import { fieldNames, guessFormat, readUploadFields, type UploadFields } from "./upload-form.ts";
import { assertMultipart, maxFieldBytes, refused, toRefusal } from "./upload-refusals.ts";

/** What a receiver of uploads can be told. */
export interface ReceiverOptions extends UploadOptions {
  /** An upload ends when no byte came for so long, in ms. Time in which the disk is busy does not count. @default 120,000 */
  idle_timeout_ms?: number;
}

/** Reads one upload from a request whose body nobody has read yet. */
export type UploadReceiver = (request: IncomingMessage, call: ReceiveCall) => Promise<ReceivedUpload>;

/** What the form may need beside the file, in bytes; more than that is no upload of ours. */
const formBytes = 1024 * 1024;

/**
 * Builds what receives `multipart/form-data` with one file (R-UP-01), in constant memory: whole,
 * checked and synced to disk, or not at all (R-UP-04).
 *
 * The receiver throws ControlError `unsupported_media_type`, `body_too_large`, `invalid_request` with
 * a list of what is wrong, `request_timeout`, `storage_full`, `aborted`, or the signal's reason. The
 * request is left open, so that it can be answered.
 *
 * @throws TypeError for options that cannot be meant
 */
export function createUploadReceiver(plane: FilePlane, given: ReceiverOptions = {}): UploadReceiver {
  const { idle_timeout_ms = 120_000, ...rest } = given;
  const { max_file_bytes, formats } = resolveUploadOptions(rest);
  if (!(idle_timeout_ms > 0)) {
    throw new TypeError(`Expected idle_timeout_ms to be above 0, got ${idle_timeout_ms}`);
  }

  return async (request, call) => {
    assertMultipart(request);
    const announced = Number(request.headers["content-length"] ?? 0);
    if (announced > max_file_bytes + formBytes) throw tooLarge(max_file_bytes, `${announced} announced`);
    const body = new UploadBody(request, {
      max_bytes: max_file_bytes + formBytes,
      idle_timeout_ms,
      signal: call.signal,
    });
    const arrival = createArrival(plane, call);
    try {
      const sent = await parse(body, arrival, max_file_bytes);
      const { fields, file } = await check(sent, arrival.arrived, formats);
      return await arrival.settle(fields, file);
    } catch (error) {
      const refusal = toRefusal(error, max_file_bytes);
      await arrival.discard().catch((cause: unknown) => {
        const message = `What was received of a refused upload could not be removed: ${(cause as Error).message}; remove it by hand`;
        throw new ControlError("internal", message, { cause: new AggregateError([cause, refusal], message) });
      });
      throw refusal;
    } finally {
      body.destroy();
    }
  };
}

/** With what its types do not know yet. */
interface MulterOptions extends multer.Options {
  /** Feeds the body to the parser. */
  streamHandler(request: unknown, parser: Writable): void;
}

type Middleware = ReturnType<multer.Multer["single"]>;

/** Runs multer over the body; gives the fields that came. */
async function parse(
  body: UploadBody,
  arrival: Arrival,
  max_file_bytes: number,
): Promise<Record<string, unknown>> {
  const sent = () => (body as { body?: Record<string, unknown> }).body ?? {};
  const storage: multer.StorageEngine = {
    _handleFile(_request, part, done) {
      arrival.write(sent(), part).then(() => done(null, {}), done);
    },
    // All that there is is removed at once, when multer is done.
    _removeFile: (_request, _part, done) => done(null),
  };
  const options: MulterOptions = {
    storage,
    limits: {
      files: 1,
      fileSize: max_file_bytes,
      fields: 2 * fieldNames.length,
      fieldSize: maxFieldBytes,
      fieldNameSize: 100,
      parts: 2 * fieldNames.length + 1,
    },
    // RFC 7578 asks for UTF-8, which is what clients send.
    defParamCharset: "utf8",
    streamHandler(_request, parser) {
      body.pipe(parser, { end: false });
      // Of parts behind the closing boundary the parser would wait for an end that never comes. When it
      // has parsed all that there is, with a line break that means nothing there, what is open is broken.
      body.once("end", () => parser.write("\r\n", () => void parser.destroy()));
    },
  };
  const upload = multer(options).single("file");
  await new Promise<void>((resolve, reject) => {
    // Of Express's request it uses what the body of any request has.
    const request = body as unknown as Parameters<Middleware>[0];
    const response = undefined as unknown as Parameters<Middleware>[1];
    upload(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
  });
  return sent();
}

/** What the fields and the file say together; throws every objection at once. */
async function check(
  sent: Record<string, unknown>,
  arrived: Arrived | undefined,
  allowed: readonly Format[],
): Promise<{ fields: UploadFields; file: Arrived & { format: Format } }> {
  const { fields, issues } = readUploadFields(sent);
  const issue = (name: string, msg: string, type: string) => issues.push({ loc: ["body", name], msg, type });
  if (arrived === undefined) {
    const hasText = issues.some(({ type }) => type === "file_expected");
    if (!hasText)
      issue("file", "Field required: a file with a file name, as in -F file=@load.csv", "missing");
    throw refused(issues);
  }
  const { digest, file_name, media_type, file } = arrived;
  const format = fields.format ?? guessFormat(file_name, media_type);
  // An unknown one is an issue already.
  const isUnknown = issues.some(({ loc }) => loc[1] === "format");
  if (format === undefined && !isUnknown) {
    const found = `"${file_name}" of type ${media_type}, which tell none (R-UP-03)`;
    issue("format", `Expected the format in this field, found only the file ${found}`, "missing");
  } else if (format !== undefined && !allowed.includes(format)) {
    issue("format", `Expected ${allowed.join(" or ")}, found ${format}`, "enum");
  }
  if (fields.checksum !== undefined) {
    const found = await differingChecksum(fields.checksum, digest, file);
    if (found !== undefined) {
      const msg = `Expected a file with the checksum ${fields.checksum}, found ${found}; send it again`;
      issue("checksum", msg, "checksum_mismatch");
    }
  }
  if (issues.length > 0 || format === undefined) throw refused(issues);
  return { fields, file: { ...arrived, format } };
}

/** The file's own checksum where it is another one than was expected. */
async function differingChecksum(
  expected: string,
  { checksum }: Digest,
  { temporary }: UnnamedFile,
): Promise<string | undefined> {
  const wanted = readChecksum(expected);
  if (wanted === undefined) return undefined;
  const { hash, algorithm, value } = wanted;
  let found: Buffer = Buffer.from(checksum.slice("sha256:".length), "hex");
  if (!/^sha-?256$/.test(algorithm)) {
    // Which one is wanted may be told behind the file.
    for await (const bytes of createReadStream(temporary, { highWaterMark: 256 * 1024 })) hash.update(bytes);
    found = hash.digest();
  }
  return isDigest(value, found) ? undefined : `${algorithm}:${found.toString("hex")}`;
}
