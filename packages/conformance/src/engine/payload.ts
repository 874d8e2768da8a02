import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { DataReference } from "@aieffect/control-interface";
import type { Comparison } from "../target/sample.ts";
import { callGrpc } from "../wire/call-grpc.ts";
import type { Exchange } from "../wire/exchange.ts";
import type { Wire } from "../wire/send.ts";

/** A payload's bytes, or why there are none. */
export type Payload =
  | { bytes: Buffer; exchange?: Exchange | undefined; problem?: undefined }
  | { bytes?: undefined; exchange?: Exchange | undefined; problem: string };

/** How payloads of the target are reached from where the harness runs. */
export interface PayloadOptions {
  wire: Wire;
  /** Origins under which peers reach the service, and those under which the harness does. */
  origins: Readonly<Record<string, string>>;
  /** The folder here that the service sees as its own; without it `file` references cannot be read. */
  share: string | undefined;
}

/** Longer files are not read. */
const longestFile = 256 * 2 ** 20;

/** Fetches what a reference names, without a token unless it is the target's own (R-DATA-04). */
export async function readPayload(reference: DataReference, options: PayloadOptions): Promise<Payload> {
  const { protocol, uri } = reference;
  if (protocol === "inline") return { bytes: Buffer.from(uri, "base64") };
  if (protocol === "file") return readShared(uri, options.share);
  if (protocol === "http" || protocol === "https") {
    const exchange = await fetchPayload(uri, options);
    const { reply, silence } = exchange;
    if (reply === undefined) return { exchange, problem: `${uri}: ${silence?.message}` };
    if (reply.status !== 200) return { exchange, problem: `${uri} answered ${reply.status}` };
    return { bytes: reply.body, exchange };
  }
  if (protocol === "grpc") return readMessage(reference, options);
  // An object store that hands out objects to whoever asks, as test ones do.
  const mapped = mapOrigin(uri, options.origins);
  if (protocol === "s3" && /^https?:/.test(mapped)) {
    return readPayload({ ...reference, protocol: "http", uri: mapped }, options);
  }
  return { problem: `payloads of protocol ${protocol} are not read by the harness` };
}

/** So long a peer may take for a message, in ms. */
const messagePatience_ms = 30_000;

/**
 * The bytes of the message behind a `grpc` reference, with the task's ids as call metadata where the
 * reference tells them (R-GRPC-01, R-GRPC-04). Without its service's name there is no telling what to call.
 */
async function readMessage(
  { uri, format, metadata = {} }: DataReference,
  options: PayloadOptions,
): Promise<Payload> {
  const { service, method = format, workflow_id, task_id, handle = task_id, stream, tls } = metadata;
  if (typeof service !== "string" || typeof method !== "string") {
    return { problem: `the reference to ${uri} does not tell the service of ${format} in its metadata` };
  }
  if (stream !== undefined)
    return { problem: `what is served in chunks is not read by the harness (${uri})` };
  if (tls === true) return { problem: `gRPC over TLS is not read by the harness (${uri})` };
  const address = mapOrigin(`grpc://${uri}`, options.origins).replace(/^\w+:\/\//, "");
  const { base_url, token } = options.wire;
  // Another host than the target's own would be none of the token's business.
  const isOwn = address.startsWith(`${new URL(base_url).hostname}:`);
  return callGrpc({
    address,
    path: `/${service}/${method}`,
    metadata: {
      ...idHeader("aieffect-workflow-id", workflow_id),
      ...idHeader("aieffect-task-id", handle),
      ...(isOwn && token !== undefined && { authorization: `Bearer ${token}` }),
    },
    timeout_ms: messagePatience_ms,
  });
}

/** Texts that call metadata cannot carry go in base64 under `-bin` (R-GRPC-01). */
function idHeader(name: string, id: unknown): Record<string, string> {
  if (typeof id !== "string" || id === "") return {};
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(id)) return { [name]: id };
  return { [`${name}-bin`]: Buffer.from(id).toString("base64") };
}

/** One GET of a payload's URL, over the target's own connection where it is its own. */
export function fetchPayload(
  uri: string,
  { wire, origins }: Pick<PayloadOptions, "wire" | "origins">,
  call: { fresh?: boolean; headers?: Record<string, string>; token?: string | null; method?: string } = {},
): Promise<Exchange> {
  const mapped = mapOrigin(uri, origins);
  const isOwn = mapped.startsWith(`${wire.base_url}/`);
  const path = isOwn ? mapped.slice(wire.base_url.length) : mapped;
  return wire.send({ path, ...call });
}

/** The URL as the harness reaches it. */
export function mapOrigin(uri: string, origins: Readonly<Record<string, string>>): string {
  for (const [from, to] of Object.entries(origins)) {
    const origin = from.replace(/\/+$/, "");
    if (uri === origin || uri.startsWith(`${origin}/`))
      return to.replace(/\/+$/, "") + uri.slice(origin.length);
  }
  return uri;
}

/** Where a path of the service's can lie in the folder here: it may mount that folder anywhere. */
function pathsUnder(share: string | undefined, path: string): string[] {
  if (share === undefined) return [];
  const names = path.split("/").filter((name) => name !== "" && name !== "..");
  return names.map((_name, at) => resolve(share, ...names.slice(at)));
}

async function readShared(uri: string, share: string | undefined): Promise<Payload> {
  const path = uri.replace(/^file:\/\//, "");
  // Where the service runs on this machine its paths are ours.
  for (const candidate of [path, ...pathsUnder(share, path)]) {
    const found = await stat(candidate).catch(() => undefined);
    if (found?.isFile() && found.size <= longestFile) return { bytes: await readFile(candidate) };
  }
  return { problem: `there is no file ${path}` };
}

/** A text that is equal for equal payloads, as the manifest compares them; undefined where nothing can be compared. */
export function fingerprint(
  bytes: Buffer,
  format: string,
  { mode, ignore = [] }: Comparison,
): string | undefined {
  const how = mode ?? (format === "json" ? "json" : "bytes");
  if (how === "none") return undefined;
  if (how === "bytes") return bytes.toString("base64");
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    return bytes.toString("base64");
  }
  for (const path of ignore) remove(value, path.replace(/^\$\.?/, "").split("."));
  return JSON.stringify(sorted(how === "shape" ? shapeOf(value) : value));
}

function remove(value: unknown, [name, ...rest]: string[]): void {
  if (value === null || typeof value !== "object" || name === undefined) return;
  const names = name === "*" ? Object.keys(value) : [name];
  for (const one of names) {
    if (rest.length === 0) delete (value as Record<string, unknown>)[one];
    else remove((value as Record<string, unknown>)[one], rest);
  }
}

function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shapeOf(member)]));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
}
