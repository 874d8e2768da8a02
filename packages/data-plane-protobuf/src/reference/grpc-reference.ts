import { isIPv6 } from "node:net";
import { ControlError, createReference, type DataReference } from "@aieffect/control-interface";
import { fullName, toRpcName } from "./rpc.ts";

/** The service that serves large results in chunks, as references name it (R-GRPC-07). */
export const streamName = "aieffect.dataplane.v1.Results/Read";

/** Which task's result is asked for. */
export interface ResultIds {
  workflow_id: string;
  /** The task as the orchestrator calls it, or the handle of one execution. */
  task_id: string;
}

/** What a reference to a result says (R-GRPC-04). */
export interface GrpcTarget {
  /** Name or address of the peer, an IPv6 one without brackets. */
  host: string;
  port: number;
  /** Of the RPC. */
  path: string;
  /** Undefined: the newest result, of whatever task, as from deployed peers. */
  ids: ResultIds | undefined;
  /** It is served in chunks alone; their size and checksum together, where the reference has them. */
  chunks: { size_bytes: number | undefined; checksum: string | undefined } | undefined;
  /** The peer serves with TLS. */
  tls: boolean;
}

/** A result, as far as a reference tells of it. */
export interface ReferredResult {
  /** Where it is served, `host:port`. */
  address: string;
  path: string;
  workflow_id: string;
  task_id: string;
  handle: string;
  tls: boolean;
  /** Of a result that is served in chunks alone: their size and checksum together. */
  chunks: { size_bytes: number; checksum: string } | undefined;
}

/** Builds the reference to a result (R-GRPC-04). @throws ControlError `invalid_reference` */
export function toGrpcReference(result: ReferredResult): DataReference {
  const { address, path, workflow_id, task_id, handle, tls, chunks } = result;
  const { service, method } = toRpcName(path);
  return createReference({
    protocol: "grpc",
    uri: address,
    format: method,
    ...chunks,
    metadata: {
      service,
      method,
      workflow_id,
      task_id,
      // Executions may share a task_id; this one's result stays what the reference means (R-IDEM-05).
      handle,
      ...(chunks !== undefined && { stream: streamName }),
      ...(tls && { tls }),
    },
  });
}

/**
 * Reads a reference as one to this RPC: ours, or a deployed one that has no metadata of ours.
 *
 * @throws ControlError `invalid_reference` naming what is wrong
 */
export function readGrpcReference(reference: DataReference, path: string): GrpcTarget {
  const { protocol, uri, format, metadata = {} } = reference;
  const rpc = toRpcName(path);
  if (protocol !== "grpc") throw invalid(`a reference of protocol grpc to ${fullName(path)}`, `${protocol}`);
  const names = [format, format.replace(/^.*[./]/, "")];
  if (!names.includes(rpc.method)) throw invalid(`a reference to ${fullName(path)}`, `one to ${format}`);
  const { service = rpc.service, method = rpc.method } = metadata;
  if (service !== rpc.service || method !== rpc.method) {
    throw invalid(`a reference to ${fullName(path)}`, `one to ${service}/${method}`);
  }
  const { stream } = metadata;
  if (stream !== undefined && stream !== null && stream !== streamName) {
    throw invalid(`${streamName} as the stream of ${fullName(path)}`, `${stream}`);
  }
  const { size_bytes, checksum } = reference;
  return {
    ...readAddress(uri),
    path,
    ids: readIds(metadata),
    chunks:
      stream === streamName
        ? { size_bytes: size_bytes ?? undefined, checksum: checksum ?? undefined }
        : undefined,
    tls: metadata.tls === true,
  };
}

/** The execution's handle where there is one, because several executions can share a task_id. */
function readIds({ workflow_id, task_id, handle }: Record<string, unknown>): ResultIds | undefined {
  const id = handle ?? task_id;
  if (workflow_id === undefined && id === undefined) return undefined;
  if (isId(workflow_id) && isId(id)) return { workflow_id, task_id: id };
  throw invalid("workflow_id and task_id in the reference's metadata, or neither", "one of them");
}

function isId(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** `host:port`, also as gRPC libraries write it. */
function readAddress(uri: string): { host: string; port: number } {
  const match =
    /^(?:grpc:\/\/|dns:(?:\/\/\/)?)?(?:\[([0-9a-fA-F:.]+)\]|([\p{L}\p{M}\p{N}_.-]+)):(\d{1,5})\/?$/u.exec(
      uri.trim(),
    );
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  const isAddress = match?.[1] === undefined || isIPv6(match[1]);
  if (host !== undefined && isAddress && port >= 1 && port <= 65_535) return { host, port };
  // Before an @ there may be a password.
  throw invalid("host:port as the uri of a grpc reference (R-REF-09)", uri.replace(/^.*@/s, "...@"));
}

function invalid(expected: string, found: string): ControlError {
  return new ControlError("invalid_reference", `Expected ${expected}, found ${found}`);
}
