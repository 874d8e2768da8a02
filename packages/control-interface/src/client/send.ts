import * as http from "node:http";
import * as https from "node:https";
import { gunzipSync, inflateSync } from "node:zlib";
import { ControlError } from "../errors/control-error.ts";
import type { HostPolicy } from "../hosts/host-policy.ts";

/** One HTTP exchange, as far as the control plane needs it: small bodies, whole in memory. */
export interface Exchange {
  address: ServerAddress;
  /** Appended to the address's own path. */
  path: string;
  method: "GET" | "POST" | "DELETE";
  headers: Record<string, string>;
  body?: string;
  agent: http.Agent | https.Agent;
  hosts: HostPolicy | undefined;
  timeout_ms: number;
  max_bytes: number;
  signal: AbortSignal | undefined;
}

/** Where a server is, taken apart once instead of at every call. */
export interface ServerAddress {
  url: URL;
  secure: boolean;
  hostname: string;
  port: string;
  /** Without a slash at its end. */
  path: string;
}

export function toServerAddress(url: URL): ServerAddress {
  const { hostname, port, protocol, pathname } = url;
  return {
    url,
    secure: protocol === "https:",
    hostname: hostname.replace(/^\[|\]$/g, ""),
    port,
    path: pathname.replace(/\/+$/, ""),
  };
}

/** An answer, whatever its status. */
export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** Sends and waits for the whole answer. @throws ControlError `unreachable`, `timeout`, `aborted`, `invalid_reply` */
export function send(exchange: Exchange): Promise<Answer> {
  const { address, method, headers, body, agent, hosts, timeout_ms, max_bytes, signal } = exchange;
  const path = address.path + exchange.path;
  const what = `${method} ${address.url.origin}${path}`;
  return new Promise((resolve, reject) => {
    hosts?.assertUrl(address.url);
    if (signal?.aborted) return reject(aborted(what, signal));
    const request = (address.secure ? https : http).request({
      hostname: address.hostname,
      port: address.port,
      path,
      method,
      agent,
      headers: body === undefined ? headers : { ...headers, "content-length": Buffer.byteLength(body) },
      ...(hosts && { lookup: hosts.lookup }),
    });
    const timer = setTimeout(() => {
      giveUp(new ControlError("timeout", `${what}: no answer within ${timeout_ms / 1000} s`));
    }, timeout_ms);
    const onAbort = () => giveUp(aborted(what, signal as AbortSignal));
    signal?.addEventListener("abort", onAbort, { once: true });
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      finish();
    };
    const fail = (error: Error) => settle(() => reject(toSendError(what, error)));
    // Settled first: what destroying the connection raises afterwards has no say any more.
    const giveUp = (error: ControlError) => {
      fail(error);
      request.destroy();
    };
    request.on("error", fail);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > max_bytes) {
          giveUp(
            new ControlError(
              "invalid_reply",
              `${what}: expected an answer of at most ${max_bytes} bytes, found more`,
            ),
          );
        }
      });
      response.on("end", () => {
        settle(() =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: unpacked(Buffer.concat(chunks), response.headers["content-encoding"], max_bytes),
          }),
        );
      });
      response.on("error", fail);
    });
    request.end(body);
  });
}

/** Some servers pack what nobody asked them to; the deployed orchestrator unpacks it. */
function unpacked(body: Buffer, coding: string | undefined, max_bytes: number): Buffer {
  const unpack = { gzip: gunzipSync, deflate: inflateSync }[coding?.trim().toLowerCase() ?? ""];
  if (unpack === undefined || body.length === 0) return body;
  try {
    return unpack(body, { maxOutputLength: max_bytes });
  } catch {
    // Not what it says, or too much: whoever reads it finds no JSON, and says so.
    return body;
  }
}

function aborted(what: string, signal: AbortSignal): ControlError {
  return new ControlError("aborted", `${what}: given up by the caller`, { cause: signal.reason });
}

function toSendError(what: string, error: Error): ControlError {
  if (error instanceof ControlError) return error;
  const { code = error.message } = error as NodeJS.ErrnoException;
  const hint: Record<string, string> = {
    ECONNREFUSED: "nothing listens there; is the service started, and is this its port?",
    ENOTFOUND: "no such host; is the name right, and is the service in the same network?",
    ECONNRESET: "the connection was cut before the answer was complete",
  };
  return new ControlError(
    "unreachable",
    `${what}: ${hint[code] ?? "the call did not go through"} (${code})`,
    {
      cause: error,
    },
  );
}
