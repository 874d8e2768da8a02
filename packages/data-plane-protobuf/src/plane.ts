import { ControlError, type DataReference } from "@aieffect/control-interface";
import type { DataPlane, OperationContext, PlaneHost } from "@aieffect/service-kit";
import { assertTls } from "./check-tls.ts";
import type { DescribedMessage } from "./fetch/describe.ts";
import { createFetcher, type DescribeOptions, type FetchOptions } from "./fetch/fetcher.ts";
import { advertisedHost, type ProtobufPlaneOptions, resolveOptions } from "./options.ts";
import { toGrpcReference } from "./reference/grpc-reference.ts";
import { fullName, type Rpc } from "./reference/rpc.ts";
import { fileNameOf } from "./results/find-result.ts";
import { createMessageCache } from "./results/message-cache.ts";
import { encodeMessages } from "./results/result-file.ts";
import { createResultIndex, idOf } from "./results/result-index.ts";
import { type ResultServer, startResultServer } from "./serve/result-server.ts";

/** What is published: one message, or pieces of one, in order. */
export type Messages<Response> = Response | Iterable<Response> | AsyncIterable<Response>;

/** The task that publishes; an operation's own context. */
export type PublishingTask = Pick<
  OperationContext,
  "workflow_id" | "task_id" | "handle" | "publish" | "signal"
>;

/**
 * Typed messages over gRPC: operations publish and fetch them through it, and a service that has it
 * among its `planes` starts and stops it.
 */
export interface ProtobufPlane extends DataPlane {
  /** Where it listens, `host:port` as in references; undefined while it does not. */
  readonly address: string | undefined;
  /**
   * Publishes the result of a task under an RPC, and gives the reference to return: `plane.publish(
   * Generator.generateData, message, ctx)`. The messages of an iterable are taken as fast as they are
   * written to the task's folder, in constant memory.
   *
   * Of an RPC that answers with one message, they are pieces of that one: whoever calls it gets them
   * merged as protobuf merges, where repeated fields are appended and of others the last counts; if
   * that is larger than `max_message_bytes` it is served in chunks alone. Callers see the result once
   * the task is complete.
   *
   * @throws ControlError `storage_full`, `aborted`, `internal`; or whatever the iterable threw
   */
  publish<Response>(
    rpc: Rpc<Response>,
    result: Messages<NoInfer<Response>>,
    task: PublishingTask,
  ): Promise<DataReference>;
  /**
   * The whole result behind a `grpc` reference as one message: `plane.fetchMessage(ctx.inputs[0],
   * Generator.generateData, ctx)`. From a peer of ours the result of the task that the reference
   * names; from a deployed one what the bare RPC answers to an empty request.
   *
   * @throws ControlError `unreadable_reference`, naming peer, method and code; `invalid_reference` when it
   * is none to this RPC; `aborted`
   */
  fetchMessage<Response>(
    input: DataReference | { readonly reference: DataReference } | undefined,
    rpc: Rpc<Response>,
    options?: FetchOptions,
  ): Promise<Response>;
  /**
   * The result behind a `grpc` reference piece by piece, with back-pressure: as it was published where
   * it is served in chunks, else the one message. Goes on where it was when the connection was cut.
   *
   * @throws ControlError as `fetchMessage`, while it is read
   */
  fetchMessages<Response>(
    input: DataReference | { readonly reference: DataReference } | undefined,
    rpc: Rpc<Response>,
    options?: FetchOptions,
  ): AsyncIterable<Response>;
  /**
   * The RPC that a `grpc` reference is to, for programs that have no generated code of it: from
   * .proto files, or as the peer's gRPC reflection tells. `fetchMessage` takes it. Undefined where
   * the peer's reflection is not there, or does not know the service.
   *
   * @throws ControlError `invalid_reference` when there is no such RPC, or several; `unreadable_reference`; `aborted`
   */
  describe(
    input: DataReference | { readonly reference: DataReference } | undefined,
    options?: DescribeOptions,
  ): Promise<Rpc<DescribedMessage> | undefined>;
}

/** Builds a plane; it listens once its service does. @throws TypeError for options that cannot be meant */
export function createProtobufPlane(given: ProtobufPlaneOptions = {}): ProtobufPlane {
  const options = resolveOptions(given);
  assertTls(options);
  const index = createResultIndex();
  const cache = createMessageCache(options.max_memory_bytes);
  const served = new Set(
    options.services.flatMap((service) => Object.values(service).map(({ path }) => path)),
  );
  let fetcher = createFetcher(options);
  let server: ResultServer | undefined;
  let address: string | undefined;

  async function start(host: PlaneHost): Promise<void> {
    if (server !== undefined)
      throw new Error("Expected a protobuf plane of its own for each service, found one in two");
    fetcher.close();
    fetcher = createFetcher(options, host);
    if (served.size === 0) return;
    const listen_host = options.listen_host ?? host.listen_host;
    server = await startResultServer({ options, listen_host, host, index, cache });
    address = `${advertisedHost(options.host, listen_host)}:${server.port}`;
    const key =
      host.authenticate === undefined
        ? "none is set"
        : options.require_key
          ? "callers need it"
          : "callers need none; GRPC_REQUIRE_KEY=1 asks for it";
    const rpcs = [...served].map(fullName);
    host.log.info(
      { address, port: server.port, rpcs, tls: options.tls !== undefined, key },
      "gRPC listening",
    );
  }

  async function publish<Response>(
    rpc: Rpc<Response>,
    result: Messages<Response>,
    task: PublishingTask,
  ): Promise<DataReference> {
    const { path } = rpc;
    const { workflow_id, task_id, handle } = task;
    if (!served.has(path)) {
      throw new TypeError(
        `Expected an RPC of the plane's services to publish under, got ${fullName(path)}; add its service to the option services`,
      );
    }
    if (address === undefined) {
      throw new Error(
        "Expected the gRPC server to listen, found that it does not; give the plane to its service as planes: [plane]",
      );
    }
    if (index.ofExecution(path, handle) !== undefined) {
      throw new TypeError(
        `Expected one result of a task under ${fullName(path)}, got two; publish pieces as an iterable`,
      );
    }
    const messages: Iterable<Response> | AsyncIterable<Response> = isIterable(result) ? result : [result];
    const written = { messages: 0, message_bytes: 0, largest_bytes: 0 };
    const content = encodeMessages(rpc.responseSerialize, messages, written);
    const name = fileNameOf(path);
    const stored = await task.publish(content, { format: "protobuf", as: "file", name });
    const { message_bytes } = written;
    if (written.messages === 0) {
      throw new ControlError(
        "invalid_reference",
        `Expected at least one message to publish under ${fullName(path)}, found none (R-RUN-07)`,
      );
    }
    const size_bytes = stored.size_bytes as number;
    index.add({ workflow_id, task_id, handle, path, file: stored.uri, size_bytes, message_bytes });
    const largest_bytes = rpc.responseStream ? written.largest_bytes : message_bytes;
    const inChunks = largest_bytes > options.max_message_bytes;
    return toGrpcReference({
      address,
      path,
      workflow_id,
      task_id,
      handle,
      tls: options.tls !== undefined,
      chunks: inChunks ? { size_bytes, checksum: stored.checksum as string } : undefined,
    });
  }

  return {
    name: "gRPC",
    get address() {
      return address;
    },
    start,
    forget({ handle, status }) {
      for (const result of index.forget(handle, status === "failed")) cache.drop(idOf(result));
    },
    async stop(grace_ms) {
      address = undefined;
      await server?.stop(grace_ms);
      fetcher.close();
    },
    publish: (rpc, result, task) => heeded(publish(rpc, result, task)),
    fetchMessage: (input, rpc, fetching = {}) => heeded(fetcher.message(referenceOf(input), rpc, fetching)),
    fetchMessages: (input, rpc, fetching = {}) => fetcher.messages(referenceOf(input), rpc, fetching),
    describe: async (input, describing = {}) => fetcher.describe(referenceOf(input), describing),
  };
}

/** A forgotten `await` fails one task, and must not end the process for all the others. */
function heeded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function referenceOf(
  input: DataReference | { readonly reference: DataReference } | undefined,
): DataReference {
  if (input === undefined)
    throw new ControlError(
      "invalid_reference",
      "Expected an input of protocol grpc, found none; the task has fewer inputs",
    );
  return "reference" in input ? input.reference : input;
}

function isIterable<Response>(
  result: Messages<Response>,
): result is Iterable<Response> | AsyncIterable<Response> {
  return (
    typeof result === "object" &&
    result !== null &&
    (Symbol.iterator in result || Symbol.asyncIterator in result)
  );
}
