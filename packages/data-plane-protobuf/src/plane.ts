import type { DataReference } from "@aieffect/control-interface";
import type { DataPlane, OperationContext } from "@aieffect/service-kit";
import type { MethodDefinition } from "@grpc/grpc-js";
import type { ProtobufPlaneOptions } from "./options.ts";

/** An RPC of a generated service definition, as in `DataGeneratorServiceService.generateData`. */
// biome-ignore lint/suspicious/noExplicitAny: what an RPC is asked with does not matter here
export type Rpc<Response> = MethodDefinition<any, Response>;

/** What is published: one message, or pieces of one, in order. */
export type Messages<Response> = Response | Iterable<Response> | AsyncIterable<Response>;

/** The task that publishes; an operation's own context. */
export type PublishingTask = Pick<
  OperationContext,
  "workflow_id" | "task_id" | "handle" | "publish" | "signal"
>;

/** On whose behalf something is fetched; an operation's own context. */
export type FetchOptions = Partial<Pick<OperationContext, "signal" | "traceparent" | "log">>;

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
    input: DataReference | { readonly reference: DataReference },
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
    input: DataReference | { readonly reference: DataReference },
    rpc: Rpc<Response>,
    options?: FetchOptions,
  ): AsyncIterable<Response>;
}

/** Builds a plane; it listens once its service does. @throws TypeError for options that cannot be meant */
export declare function createProtobufPlane(options?: ProtobufPlaneOptions): ProtobufPlane;
