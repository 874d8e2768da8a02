import { createHash } from "node:crypto";
import { ControlError, createHostPolicy, type DataReference } from "@aieffect/control-interface";
import type { OperationContext, PlaneHost } from "@aieffect/service-kit";
import { type Client, Metadata } from "@grpc/grpc-js";
import { ReadRequest } from "../generated/aieffect/dataplane/v1/results.ts";
import type { ResolvedOptions } from "../options.ts";
import { writeIds } from "../reference/call-ids.ts";
import { type GrpcTarget, readGrpcReference, streamName } from "../reference/grpc-reference.ts";
import { fullName, type Rpc, toRpcName } from "../reference/rpc.ts";
import { readChunk } from "../results/chunk.ts";
import { MessageSplitter } from "../results/delimited.ts";
import { JoinedBytes } from "../results/joined-bytes.ts";
import { createTidying } from "../results/tidy.ts";
import { askForStream, askOnce, type Question } from "./call.ts";
import { createChannels, type Peer } from "./channels.ts";
import { type DescribedMessage, findByReflection, findInProtos, namedRpc } from "./describe.ts";
import { CallFailure, type Source, toFailure } from "./failures.ts";
import { createPatience, type Patience } from "./patience.ts";

/** On whose behalf something is fetched; an operation's own context. */
export type FetchOptions = Partial<Pick<OperationContext, "signal" | "traceparent" | "log">>;

/** Fetches results from peers. */
export interface Fetcher {
  /** The whole result as one message. */
  message<Response>(reference: DataReference, rpc: Rpc<Response>, options: FetchOptions): Promise<Response>;
  /** The result piece by piece. */
  messages<Response>(
    reference: DataReference,
    rpc: Rpc<Response>,
    options: FetchOptions,
  ): AsyncGenerator<Response>;
  /** The RPC that a reference is to, from .proto files or from the peer's reflection. */
  describe(reference: DataReference, options: DescribeOptions): Promise<Rpc<DescribedMessage> | undefined>;
  /** Closes all connections. */
  close(): void;
}

/** How the type of a result is learnt. */
export interface DescribeOptions extends FetchOptions {
  /** Files that describe it. @default none: the peer is asked */
  protos?: readonly string[];
}

/** One fetch. */
interface Fetch {
  target: GrpcTarget;
  source: Source;
  patience: Patience;
  options: FetchOptions;
  traceparent: string | undefined;
}

const empty = Buffer.alloc(0);

/** Ours are asked for a task by its ids in the call's metadata, deployed ones for what they have (R-GRPC-05). */
export function createFetcher(
  options: ResolvedOptions,
  host: Partial<Pick<PlaneHost, "hosts" | "peer_keys" | "startSpan">> = {},
): Fetcher {
  const { max_fetch_bytes, peer_tls } = options;
  const policy = options.hosts ?? host.hosts;
  const hosts = createHostPolicy(policy);
  const channels = createChannels({ hosts, peer_tls, max_bytes: max_fetch_bytes });
  const keys = lowerCased(options.peer_keys ?? host.peer_keys ?? {});
  const tlsHosts = new Set((peer_tls.hosts ?? []).map((name) => name.toLowerCase()));

  /** What names a peer in options: `host:port`, and `host` for all its ports. */
  function namesOf({ host: name, port }: Peer): string[] {
    const written = name.includes(":") ? `[${name}]` : name;
    return [`${written}:${port}`, written, name].map((text) => text.toLowerCase());
  }

  function peerOf(target: GrpcTarget): Peer {
    const peer = { host: target.host, port: target.port, tls: target.tls };
    return { ...peer, tls: target.tls || namesOf(peer).some((name) => tlsHosts.has(name)) };
  }

  function begin(
    reference: DataReference,
    path: string,
    given: FetchOptions,
    traceparent: string | undefined,
  ): Fetch {
    const target = readGrpcReference(reference, path);
    const source = { peer: reference.uri, rpc: fullName(path) };
    const patience = createPatience({
      source,
      retries: options.fetch_retries,
      idle_ms: options.fetch_idle_timeout_ms,
      backoff_ms: options.fetch_backoff_ms,
      signal: given.signal,
      onRetry: (attempt, failure) =>
        given.log?.warn(
          { ...source, attempt, reason: `${failure.code}: ${failure.message}` },
          "fetching an input goes on",
        ),
    });
    return { target, source, patience, options: given, traceparent };
  }

  function keyFor(target: GrpcTarget): string | undefined {
    return namesOf(peerOf(target))
      .map((name) => keys.get(name))
      .find((found) => found !== undefined);
  }

  /** What went wrong, without the key where the peer says it back. */
  function failureOf({ target }: Fetch, thrown: unknown, isFixed = true): CallFailure | ControlError {
    const failure = isFixed ? toFailure(thrown, undefined) : final(thrown);
    const key = keyFor(target);
    if (failure instanceof ControlError || !key || !failure.message.includes(key)) return failure;
    const { code, message, passing, cause } = failure;
    return new CallFailure(code, message.replaceAll(key, "[redacted]"), passing, cause);
  }

  function metadataOf({ target, traceparent }: Fetch, withIds: boolean): Metadata {
    const metadata = target.ids === undefined || !withIds ? new Metadata() : writeIds(target.ids);
    const key = keyFor(target);
    if (key !== undefined) metadata.set("authorization", `Bearer ${key}`);
    if (traceparent !== undefined) metadata.set("traceparent", traceparent);
    return metadata;
  }

  /** Where the peer is now; a name can lead elsewhere after it was restarted. */
  async function clientsOf({ target }: Fetch): Promise<Client[]> {
    return channels.find(peerOf(target)).catch((error: unknown) => {
      throw toFailure(error, undefined);
    });
  }

  async function unary(fetch: Fetch): Promise<Buffer> {
    const { target, patience } = fetch;
    for (;;) {
      try {
        const question = questionOf(fetch, target.path, empty, metadataOf(fetch, true));
        return await askOnce(await clientsOf(fetch), question, patience.left_ms());
      } catch (error) {
        await patience.again(failureOf(fetch, error));
      }
    }
  }

  /** The messages of an RPC that answers with a stream. One that was cut is asked anew, for what is still missing. */
  async function* streamed(fetch: Fetch): AsyncGenerator<Buffer, void, undefined> {
    const { target, patience } = fetch;
    let taken = 0;
    for (;;) {
      let left = taken;
      try {
        const question = questionOf(fetch, target.path, empty, metadataOf(fetch, true));
        for await (const message of askForStream(await clientsOf(fetch), question, patience.left_ms)) {
          patience.progressed();
          if (left-- > 0) continue;
          taken++;
          yield message;
          patience.resumed();
        }
        return;
      } catch (error) {
        // The newest result can be another one by now.
        const isFixed = target.ids !== undefined || taken === 0;
        await patience.again(failureOf(fetch, error, isFixed));
      }
    }
  }

  /** A result in chunks, from where the last attempt was cut (R-GRPC-07). */
  async function* chunks(fetch: Fetch): AsyncGenerator<Buffer, void, undefined> {
    const { target, patience } = fetch;
    const { method } = toRpcName(target.path);
    const { workflow_id = "", task_id = "" } = target.ids ?? {};
    const tidy = createTidying();
    let offset = 0;
    for (;;) {
      try {
        const asked = { method, workflowId: workflow_id, taskId: task_id, offset: BigInt(offset) };
        const request = Buffer.from(ReadRequest.encode(asked).finish());
        const question = questionOf(fetch, `/${streamName}`, request, metadataOf(fetch, false));
        for await (const message of askForStream(await clientsOf(fetch), question, patience.left_ms)) {
          const chunk = chunkOf(message, fetch.source);
          // Nobody has to send one, and whoever sends nothing else would never come to an end.
          if (chunk.data.length === 0) throw damaged(fetch.source, "a chunk with data", "an empty one");
          if (chunk.offset !== offset) {
            throw damaged(fetch.source, `the chunk from byte ${offset} on`, `one from ${chunk.offset} on`);
          }
          patience.progressed();
          offset += chunk.data.length;
          yield chunk.data;
          patience.resumed();
          tidy(chunk.data.length);
        }
        return;
      } catch (error) {
        const isFixed = target.ids !== undefined || offset === 0;
        await patience.again(failureOf(fetch, error, isFixed));
      }
    }
  }

  /** The bytes of every message behind a reference, however it is served; chunks are verified at their end. */
  async function* pieces(fetch: Fetch, responseStream: boolean): AsyncGenerator<Buffer, void, undefined> {
    const { target, source } = fetch;
    if (target.chunks === undefined) {
      if (responseStream) yield* streamed(fetch);
      else yield await unary(fetch);
      return;
    }
    const splitter = new MessageSplitter(max_fetch_bytes);
    const verifier = createVerifier(target.chunks, source);
    for await (const bytes of chunks(fetch)) {
      verifier.update(bytes);
      yield* guarded(source, splitter.push(bytes));
    }
    verifier.end();
    try {
      splitter.end();
    } catch (error) {
      throw damaged(source, "whole messages", (error as Error).message);
    }
  }

  /** What the peer says of an RPC; one that does not answer is asked again, as for results. */
  async function reflected(reference: DataReference, options: FetchOptions) {
    const named = namedRpc(reference);
    const path = `/${named.service ?? "*"}/${named.method}`;
    const fetch = begin(reference, path, options, undefined);
    const { patience } = fetch;
    for (;;) {
      try {
        const [client] = await clientsOf(fetch);
        if (client === undefined)
          throw new CallFailure("ENOTFOUND", "the host has no address", true, undefined);
        const asking = {
          peer: reference.uri,
          metadata: metadataOf(fetch, false),
          deadline_ms: patience.left_ms(),
        };
        return await findByReflection(client, named, asking);
      } catch (error) {
        await patience.again(failureOf(fetch, error));
      }
    }
  }

  function startSpan(path: string, { traceparent }: FetchOptions) {
    return host.startSpan?.(
      fullName(path),
      "client",
      traceparent === undefined ? undefined : { traceparent },
    );
  }

  return {
    async message(reference, rpc, given) {
      const span = startSpan(rpc.path, given);
      try {
        const fetch = begin(reference, rpc.path, given, span?.traceparent ?? given.traceparent);
        const joined = new JoinedBytes();
        let size = 0;
        for await (const piece of pieces(fetch, rpc.responseStream)) {
          // Those without content count, too: there could be no end of them.
          size += Math.max(1, piece.length);
          if (size > max_fetch_bytes) throw tooLarge(fetch.source, max_fetch_bytes);
          joined.add(piece);
        }
        // One behind the other, pieces of a message are that message.
        const message = decode(rpc, joined.take(), fetch.source);
        span?.end();
        return message;
      } catch (error) {
        span?.end(error);
        throw error;
      }
    },
    async *messages(reference, rpc, given) {
      const span = startSpan(rpc.path, given);
      let failure: unknown;
      try {
        const fetch = begin(reference, rpc.path, given, span?.traceparent ?? given.traceparent);
        for await (const piece of pieces(fetch, rpc.responseStream)) yield decode(rpc, piece, fetch.source);
      } catch (error) {
        failure = error;
        throw error;
      } finally {
        span?.end(failure);
      }
    },
    async describe(reference, { protos, ...given }) {
      return protos === undefined ? reflected(reference, given) : findInProtos(protos, namedRpc(reference));
    },
    close: channels.close,
  };
}

function questionOf({ options }: Fetch, path: string, request: Buffer, metadata: Metadata): Question {
  return { path, request, metadata, signal: options.signal };
}

function chunkOf(message: Buffer, source: Source): ReturnType<typeof readChunk> {
  try {
    return readChunk(message);
  } catch (error) {
    throw damaged(source, "a Chunk", `bytes that are none: ${(error as Error).message}`, error);
  }
}

function decode<Response>(rpc: Rpc<Response>, bytes: Buffer, source: Source): Response {
  try {
    return rpc.responseDeserialize(bytes);
  } catch (error) {
    throw damaged(source, "a message of its response type", (error as Error).message, error);
  }
}

function* guarded(source: Source, messages: Iterable<Buffer>): Generator<Buffer, void, undefined> {
  try {
    yield* messages;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw damaged(source, "messages that can be taken", error.message, error);
  }
}

/** Compares chunks, all together, with what the reference says of them (R-REF-12, R-REF-13). */
function createVerifier({ size_bytes, checksum }: NonNullable<GrpcTarget["chunks"]>, source: Source) {
  const expected = /^sha256:([0-9a-f]{64})$/i.exec(checksum ?? "")?.[1]?.toLowerCase();
  const hash = expected === undefined ? undefined : createHash("sha256");
  let size = 0;
  return {
    update(bytes: Buffer) {
      size += bytes.length;
      if (size_bytes !== undefined && size > size_bytes) {
        throw damaged(source, `${size_bytes} bytes, as the reference says`, "more");
      }
      hash?.update(bytes);
    },
    end() {
      if (size_bytes !== undefined && size !== size_bytes) {
        throw damaged(source, `${size_bytes} bytes, as the reference says`, `${size}`);
      }
      const found = hash?.digest("hex");
      if (found !== expected) throw damaged(source, `checksum ${checksum}`, `sha256:${found}`);
    },
  };
}

function damaged({ peer, rpc }: Source, expected: string, found: string, cause?: unknown): ControlError {
  return new ControlError(
    "unreadable_reference",
    `Expected ${expected} of ${rpc} from ${peer}, found ${found}`,
    { cause },
  );
}

function tooLarge({ peer, rpc }: Source, max_bytes: number): ControlError {
  return new ControlError(
    "unreadable_reference",
    `Expected a result of at most ${max_bytes} bytes from ${rpc} of ${peer}, found more; take it piece by piece with fetchMessages, or raise max_fetch_bytes`,
  );
}

/** A failure after which asking again could give something else. */
function final(thrown: unknown): CallFailure | ControlError {
  const failure = toFailure(thrown, undefined);
  if (failure instanceof ControlError) return failure;
  return new CallFailure(failure.code, failure.message, false, failure);
}

function lowerCased(keys: Readonly<Record<string, string>>): Map<string, string> {
  return new Map(Object.entries(keys).map(([peer, key]) => [peer.toLowerCase(), key]));
}
