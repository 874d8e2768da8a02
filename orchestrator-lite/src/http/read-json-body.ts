import type { IncomingMessage } from "node:http";
import { ControlError } from "@aieffect/control-interface";
import { invalid } from "../planner/parse-submission.ts";

/**
 * The parsed body of a request. @throws ControlError `body_too_large`, or `invalid_request` for
 * what is not JSON or not declared as JSON
 */
export async function readJsonBody(request: IncomingMessage, max_bytes: number): Promise<unknown> {
  // A web page can send any other type, or none, across origins without asking first.
  const { "content-type": type, origin } = request.headers;
  if (type === undefined ? origin !== undefined : !/^application\/(?:[\w.-]+\+)?json *(?:;|$)/i.test(type)) {
    const msg = `Expected the Content-Type application/json, found ${type ?? "none"}`;
    throw invalid([{ loc: ["header", "Content-Type"], msg, type: "value_error" }]);
  }
  const body = await readBody(request, max_bytes);
  if (body.length === 0) throw invalid([{ loc: ["body"], msg: "Field required", type: "missing" }]);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    // The parser's own words quote the body, which may hold the services key.
    const msg = "JSON decode error: expected the body to be one JSON value in UTF-8";
    throw invalid([{ loc: ["body"], msg, type: "json_invalid" }]);
  }
}

function readBody(request: IncomingMessage, max_bytes: number): Promise<Buffer> {
  const tooLarge = () => {
    // What still comes is read and dropped, so that the sender gets to see the answer.
    request.removeAllListeners("data").resume();
    return new ControlError("body_too_large", `Expected a body of at most ${max_bytes} bytes, found more`);
  };
  return new Promise((resolve, reject) => {
    if (Number(request.headers["content-length"] ?? 0) > max_bytes) return reject(tooLarge());
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > max_bytes) reject(tooLarge());
      else chunks.push(chunk);
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", reject);
  });
}
