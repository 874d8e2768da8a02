import * as http from "node:http";
import * as https from "node:https";
import type { Readable } from "node:stream";
import { ControlError } from "@aieffect/control-interface";
import type { ResolvedOptions } from "../options.ts";
import { readBody, tooLarge } from "./body.ts";
import { request, showUrl } from "./request.ts";

/** What one fetch can be given. */
export interface FetchOptions {
  /** Ends it; it rejects with `aborted`. */
  signal?: AbortSignal | undefined;
  /** W3C trace context to continue (R-TRACE-01). */
  traceparent?: string | undefined;
}

/** Fetches payloads over kept connections. */
export interface Fetcher {
  /** Resolves when the head of the answer is good; `what` names the payload for error texts. */
  fetch(uri: string, options: FetchOptions): Promise<{ body: Readable; what: string }>;
  /** Closes all connections, also those in use. */
  close(): void;
}

const redirects = new Set([301, 302, 303, 307, 308]);

/** Builds a fetcher with connections of its own. */
export function createFetcher(options: ResolvedOptions): Fetcher {
  const { hosts, max_redirects, max_fetch_bytes, fetch_idle_timeout_ms, peer_keys } = options;
  const kept = { keepAlive: true, maxFreeSockets: 16 };
  const agents = { http: new http.Agent(kept), https: new https.Agent(kept) };

  async function fetch(uri: string, { signal, traceparent }: FetchOptions) {
    let url = toUrl(uri);
    let key = keyFor(url, peer_keys);
    for (let hops = 0; hops <= max_redirects; hops++) {
      const response = await request({
        url,
        headers: toHeaders(key, traceparent),
        agent: url.protocol === "https:" ? agents.https : agents.http,
        hosts,
        timeout_ms: fetch_idle_timeout_ms,
        signal,
      });
      const target = toRedirect(response, url);
      if (target === undefined) return { body: await toPayload(response, url), what: showUrl(url) };
      response.destroy();
      // The key was given for this peer; where it points to is somebody else (R-SIGN-04).
      if (target.origin !== url.origin) key = undefined;
      url = target;
    }
    throw new ControlError(
      "unreadable_reference",
      `Cannot read ${showUrl(toUrl(uri))}: expected at most ${max_redirects} redirects, found more, the last one to ${showUrl(url)}; name the final URL, or raise the option \`max_redirects\``,
    );
  }

  async function toPayload(response: http.IncomingMessage, url: URL): Promise<Readable> {
    const what = showUrl(url);
    const limits = { max_bytes: max_fetch_bytes, idle_timeout_ms: fetch_idle_timeout_ms };
    if (response.statusCode !== 200) {
      throw refusal(response.statusCode ?? 0, what, await readDetail(response, what, fetch_idle_timeout_ms));
    }
    const encoding = response.headers["content-encoding"]?.trim().toLowerCase() || "identity";
    const announced = Number(response.headers["content-length"] ?? 0);
    if (encoding === "identity" && announced <= max_fetch_bytes) return readBody(response, what, limits);
    response.destroy();
    if (encoding === "identity") throw tooLarge(what, String(announced), max_fetch_bytes);
    throw new ControlError(
      "unreadable_reference",
      `Cannot read ${what}: expected the payload as it is, found it encoded as ${encoding} although identity was asked for; turn compression off in the peer, or in the proxy before it`,
    );
  }

  return {
    fetch,
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function toUrl(uri: string): URL {
  if (URL.canParse(uri)) return new URL(uri);
  const shown = (uri.split(/[?#]/)[0] as string).replace(/\/\/[^/]*@/, "//");
  throw new ControlError("invalid_reference", `Expected a complete URL (R-REF-05), found ${shown}`);
}

function keyFor(url: URL, keys: ReadonlyMap<string, string>): string | undefined {
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return keys.get(`${url.hostname}:${port}`) ?? keys.get(url.hostname);
}

function toHeaders(key: string | undefined, traceparent: string | undefined): http.OutgoingHttpHeaders {
  // Whatever else came under that name is not a trace context, and may not even be a header.
  const traced =
    traceparent !== undefined && /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}[-\w]*$/.test(traceparent);
  return {
    accept: "*/*",
    // Size and checksum are the payload's own; a body that was compressed on the way has others.
    "accept-encoding": "identity",
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(traced && { traceparent }),
  };
}

function toRedirect(response: http.IncomingMessage, from: URL): URL | undefined {
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

/** The peer's own words, if they are short and JSON (R-GEN-04). */
async function readDetail(
  response: http.IncomingMessage,
  what: string,
  idle_timeout_ms: number,
): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of readBody(response, what, { max_bytes: 16_384, idle_timeout_ms }))
      chunks.push(chunk);
    const { detail } = JSON.parse(Buffer.concat(chunks).toString()) as { detail?: unknown };
    const text = typeof detail === "string" ? detail : (JSON.stringify(detail) ?? "");
    return text.replace(/\p{Cc}+/gu, " ").slice(0, 500);
  } catch {
    // Too long, cut or not JSON: the status has to say it alone.
    return "";
  }
}

function refusal(status: number, what: string, detail: string): ControlError {
  const next: Record<number, string> = {
    401: "; the peer asks for a key: list it in the option `peer_keys`, or have the peer hand out signed URLs",
    403: "; the signature may have expired, or the key may be another's",
    404: "; the payload may have been dropped meanwhile",
  };
  return new ControlError(
    "unreadable_reference",
    `Cannot read ${what}: expected HTTP 200, found ${status}${detail === "" ? "" : ` (${detail})`}${next[status] ?? ""}`,
    { peer_status: status },
  );
}
