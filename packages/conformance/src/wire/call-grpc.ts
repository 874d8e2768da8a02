import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from "node:http2";

/** A unary call with an empty request, as deployed peers make it. */
export interface GrpcCall {
  /** `host:port`. */
  address: string;
  /** As in `/data_generator.DataGeneratorService/GenerateData`. */
  path: string;
  /** Call metadata. */
  metadata: Readonly<Record<string, string>>;
  timeout_ms: number;
}

/** The bytes of the message that was answered, or why there are none. */
export type GrpcAnswer = { bytes: Buffer; problem?: undefined } | { bytes?: undefined; problem: string };

/** Longer messages are not read. */
const longestMessage = 256 * 2 ** 20;

/** An uncompressed message of no bytes. */
const emptyFrame = Buffer.alloc(5);

/**
 * Makes a unary gRPC call in plain text over HTTP/2 (gRPC over HTTP2, PROTOCOL-HTTP2.md). What the
 * message means does not matter here, so that no proto is needed. Never rejects because of the peer.
 */
export async function callGrpc(call: GrpcCall): Promise<GrpcAnswer> {
  const name = `${call.path} at ${call.address}`;
  let session: ClientHttp2Session | undefined;
  try {
    session = connect(`http://${call.address}`);
    return toAnswer(await exchange(session, call));
  } catch (error) {
    return { problem: `${name}: ${(error as Error).message}` };
  } finally {
    session?.destroy();
  }
}

/** Headers and trailers, and the frames between them. */
interface Reply {
  head: IncomingHttpHeaders;
  body: Buffer;
}

function exchange(session: ClientHttp2Session, { path, metadata, timeout_ms }: GrpcCall): Promise<Reply> {
  return new Promise((resolve, reject) => {
    session.once("error", reject);
    session.once("close", () => reject(new Error("the connection was closed")));
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeout_ms} ms`)), timeout_ms);
    session.once("close", () => clearTimeout(timer));
    const request = session.request({
      ...metadata,
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
      [constants.HTTP2_HEADER_TE]: "trailers",
      "grpc-timeout": `${timeout_ms}m`,
    });
    const parts: Buffer[] = [];
    let length = 0;
    let head: IncomingHttpHeaders = {};
    request.once("response", (headers) => {
      head = headers;
    });
    // A refusal has its trailers for a head.
    request.once("trailers", (headers) => {
      head = { ...head, ...headers };
    });
    request.on("data", (part: Buffer) => {
      length += part.length;
      if (length > longestMessage) reject(new Error(`the answer has more than ${longestMessage} bytes`));
      else parts.push(part);
    });
    request.once("error", reject);
    request.once("end", () => {
      // Without an answer the session knows why.
      if (head[":status"] !== undefined) resolve({ head, body: Buffer.concat(parts) });
    });
    request.end(emptyFrame);
  });
}

function toAnswer({ head, body }: Reply): GrpcAnswer {
  const { ":status": http_status, "grpc-status": grpc_status, "grpc-message": message } = head;
  if (grpc_status === undefined) throw new Error(`answered HTTP ${http_status} without a grpc-status`);
  if (grpc_status !== "0")
    throw new Error(`answered grpc-status ${grpc_status}, ${toText(`${message ?? ""}`)}`);
  const whole = body.length >= 5 && body.readUInt8(0) === 0 && body.readUInt32BE(1) === body.length - 5;
  if (!whole) throw new Error("answered something else than one uncompressed message");
  return { bytes: body.subarray(5) };
}

/** A status message, which is percent-encoded on the wire. */
function toText(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
