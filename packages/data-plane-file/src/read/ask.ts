import type { Agent, IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type * as https from "node:https";
import { ControlError, type HostPolicy } from "@aieffect/control-interface";
import { readS3Error } from "../s3/failure.ts";
import { curable } from "./failures.ts";
import { request, showUrl } from "./request.ts";

/** How a peer is asked that is no plain web server, such as an object store. It has no redirects. */
export interface Manners {
  /** Names the payload in error texts. */
  what: string;
  /** What is asked for, encoded; a URL would change a path with `.` or `..` in it. */
  path: string;
  /**
   * Signs one request: gives back the headers to send, which may be all of those it was given and
   * more. It is called for every attempt anew, with the `range` that is asked for among the headers.
   */
  sign(url: URL, headers: OutgoingHttpHeaders): OutgoingHttpHeaders;
  /** Says what a refusal means and what to do, and whether it may be over in a moment. */
  explain(status: number, headers: IncomingHttpHeaders, body: string): { text: string; passing: boolean };
}

/** One question for a payload, or for a part of it. */
export interface Question {
  url: URL;
  /** `range` and `if-range`, or none. */
  range: Record<string, string>;
  /** Bearer key for the URL's origin. */
  key: string | undefined;
  manners: Manners | undefined;
  traceparent: string | undefined;
  tracestate: string | undefined;
  /** Fires with a ControlError as its reason. */
  signal: AbortSignal;
}

/** What is the same for all questions of a fetcher. */
export interface Asker {
  hosts: HostPolicy;
  agents: { http: Agent; https: https.Agent };
  max_redirects: number;
  /** Without an answer, in ms. */
  timeout_ms: number;
}

/** An answer whose body is the payload, or the part of it that was asked for. */
export interface Answer {
  response: IncomingMessage;
  /** Names the payload in error texts: where redirects led to. */
  what: string;
}

const redirects = new Set([301, 302, 303, 307, 308]);

/** Statuses of a peer that may be well in a moment. */
const passing = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Asks once: follows redirects from the original URL, checks every host on the way, and resolves
 * with the head of a good answer: 200, or 206 and 416 to a range.
 *
 * @throws ControlError `unreadable_reference`, noted as curable where asking again may help
 */
export async function ask(question: Question, asker: Asker): Promise<Answer> {
  const { range, manners, signal } = question;
  let { url, key } = question;
  for (let hops = 0; hops <= asker.max_redirects; hops++) {
    const headers = toHeaders(key, question, range);
    const response = await request({
      url,
      path: manners?.path,
      headers: manners === undefined ? headers : manners.sign(url, headers),
      agent: url.protocol === "https:" ? asker.agents.https : asker.agents.http,
      hosts: asker.hosts,
      timeout_ms: asker.timeout_ms,
      signal,
    });
    const target = manners === undefined ? toRedirect(response, url) : undefined;
    if (target === undefined) return toAnswer(response, url, question, asker);
    response.destroy();
    // The key was given for this peer; where it points to is somebody else (R-SIGN-04).
    if (target.origin !== url.origin) key = undefined;
    url = target;
  }
  throw new ControlError(
    "unreadable_reference",
    `Cannot read ${showUrl(question.url)}: expected at most ${asker.max_redirects} redirects, found more, the last one to ${showUrl(url)}; name the final URL, or raise the option \`max_redirects\``,
  );
}

async function toAnswer(
  response: IncomingMessage,
  url: URL,
  { range, manners, signal }: Question,
  { timeout_ms }: Asker,
): Promise<Answer> {
  const what = manners?.what ?? showUrl(url);
  const status = response.statusCode ?? 0;
  const isGood = status === 200 || (range.range !== undefined && (status === 206 || status === 416));
  if (!isGood) {
    const body = await readShort(response, timeout_ms, signal);
    if (signal.aborted) throw signal.reason;
    const told = manners?.explain(status, response.headers, body);
    throw refusal(response, what, told ?? explain(status, toDetail(body)));
  }
  const encoding = response.headers["content-encoding"]?.trim().toLowerCase() || "identity";
  if (encoding === "identity") return { response, what };
  response.destroy();
  throw new ControlError(
    "unreadable_reference",
    `Cannot read ${what}: expected the payload as it is, found it encoded as ${encoding} although identity was asked for; turn compression off in the peer, or in the proxy before it`,
  );
}

function toHeaders(
  key: string | undefined,
  trace: Pick<Question, "traceparent" | "tracestate">,
  range: Record<string, string>,
): OutgoingHttpHeaders {
  return {
    accept: "*/*",
    // Size and checksum are the payload's own; a body that was compressed on the way has others.
    "accept-encoding": "identity",
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...toTraceHeaders(trace.traceparent, trace.tracestate),
    ...range,
  };
}

/** Continues a trace (R-TRACE-01). */
export function toTraceHeaders(traceparent: string | undefined, tracestate?: string): OutgoingHttpHeaders {
  // Whatever else came under that name is not a trace context, and may not even be a header.
  const isOne =
    traceparent !== undefined && /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}[-\w]*$/.test(traceparent);
  if (!isOne) return {};
  return /^[!-~]([ -~]*[!-~])?$/.test(tracestate ?? "") ? { traceparent, tracestate } : { traceparent };
}

function toRedirect(response: IncomingMessage, from: URL): URL | undefined {
  if (!redirects.has(response.statusCode ?? 0)) return undefined;
  const { location } = response.headers;
  if (location !== undefined && URL.canParse(location, from.href)) {
    const target = new URL(location, from);
    if (target.protocol === "http:" || target.protocol === "https:") return target;
  }
  response.destroy();
  const found = location === undefined ? "none" : `"${location.split(/[?#]/)[0]}"`;
  throw new ControlError(
    "unreadable_reference",
    `Cannot read ${showUrl(from)}: expected a redirect (${response.statusCode}) to an http or https URL, found ${found}`,
  );
}

const longestRefusal = 16_384;

/** The body of a refusal, unless it is long, cut or silent: then the status has to say it alone. */
async function readShort(
  response: IncomingMessage,
  timeout_ms: number,
  signal: AbortSignal,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const stop = () => response.destroy();
  const timer = setTimeout(stop, timeout_ms);
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const chunk of response) {
      size += chunk.length;
      if (size > longestRefusal) return "";
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  } catch {
    return "";
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    response.destroy();
  }
}

/** The peer's own words, in JSON (R-GEN-04) or as an object store says them to whoever has a presigned URL. */
function toDetail(body: string): string {
  if (body.startsWith("<")) {
    const { code, message } = readS3Error(body) ?? {};
    return [code, message].filter(Boolean).join(": ");
  }
  try {
    const { detail } = JSON.parse(body) as { detail?: unknown };
    const text = typeof detail === "string" ? detail : (JSON.stringify(detail) ?? "");
    return text.replace(/\p{Cc}+/gu, " ").slice(0, 500);
  } catch {
    return "";
  }
}

function explain(status: number, detail: string): { text: string; passing: boolean } {
  const next: Record<number, string> = {
    401: "; the peer asks for a key: list it in the option `peer_keys`, or have the peer hand out signed URLs",
    403: "; the signature may have expired, or the key may be another's",
    404: "; the payload may have been dropped meanwhile",
  };
  const words = detail === "" ? "" : ` (${detail})`;
  return {
    text: `expected HTTP 200, found ${status}${words}${next[status] ?? ""}`,
    passing: passing.has(status),
  };
}

function refusal(
  { statusCode: status = 0, headers }: IncomingMessage,
  what: string,
  told: { text: string; passing: boolean },
): ControlError {
  const wait_s = readRetryAfter(headers["retry-after"]);
  const error = new ControlError("unreadable_reference", `Cannot read ${what}: ${told.text}`, {
    peer_status: status,
    ...(wait_s !== undefined && { retry_after_s: wait_s }),
  });
  return told.passing ? curable("again", error) : error;
}

/** Seconds, or a date (RFC 9110, section 10.2.3). */
function readRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header);
  const wait_s = (Date.parse(header) - Date.now()) / 1000;
  return wait_s > 0 ? wait_s : undefined;
}
