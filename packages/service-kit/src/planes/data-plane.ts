import type { HostPolicyOptions } from "@aieffect/control-interface";
import type { Logger } from "pino";
import type { TraceContext } from "../observability/trace.ts";
import type { Tracing } from "../observability/tracing.ts";
import type { Execution } from "../tasks/execution.ts";

/**
 * A data plane beside the kit's own, with a server of its own, such as gRPC. The service starts it
 * before it takes calls and stops it after its last task; operations publish through the plane itself.
 */
export interface DataPlane {
  /** In messages. */
  readonly name: string;
  /** Begins to serve; the service does not listen before. Rejecting ends the service's start. */
  start(host: PlaneHost): Promise<void>;
  /** A task was dropped, and its folder is about to be removed. */
  forget(dropped: Execution): void;
  /** Stops serving: calls that go on have `grace_ms` to end. Never rejects; also where it was never started. */
  stop(grace_ms: number): Promise<void>;
}

/** What a service tells its planes. */
export interface PlaneHost {
  /** The address the service listens on (R-ENV-01). */
  readonly listen_host: string;
  /** The service's log. */
  readonly log: Logger;
  /** Checks an `Authorization: Bearer` value; undefined for a service without a key. @throws ControlError `unauthorized` */
  readonly authenticate: ((authorization: string | undefined) => void) | undefined;
  /** The option `hosts`. */
  readonly hosts: HostPolicyOptions | undefined;
  /** The option `peer_keys`. */
  readonly peer_keys: Readonly<Record<string, string>>;
  /** Fires when the service begins to stop. */
  readonly stopping: AbortSignal;
  /** Spans, where somebody records any. */
  readonly startSpan: Tracing["startSpan"];
  /**
   * A call of this method began; call the result with the code that it was answered with. `/metrics`
   * counts them by plane, method and code, so the methods and codes must be few.
   */
  countCall(method: string): (code: string) => void;
  /** Reads the trace that a caller told; undefined where it is none. */
  readTrace(headers: {
    traceparent?: string | undefined;
    tracestate?: string | undefined;
  }): TraceContext | undefined;
  /**
   * A task of this workflow, by handle, else the newest one under that raw task_id (R-RUN-04,
   * R-RUN-05); undefined when none is known, or no longer.
   */
  find(workflow_id: string, id: string): Promise<Execution | undefined>;
}
