import type { DataReference } from "@aieffect/control-interface";
import type { RetryPolicy } from "./failure.ts";

/** One (container, operation) of a blueprint, with everything that is needed to run it. */
export interface NodeSpec {
  /** `container:operation`. */
  key: string;
  /** The `method` of execute. */
  operation: string;
  /** Base URL of the service. */
  address: string;
  /** Indices of the nodes whose outputs are its inputs, in the order in which the blueprint lists the connections. */
  predecessors: readonly number[];
  /** Indices of the nodes that take its output. */
  successors: readonly number[];
  /** Sent with execute (R-EXEC-03). */
  parameters?: Record<string, unknown>;
  /** Time limit over all attempts, in seconds. */
  timeout_s: number;
  retry: RetryPolicy;
}

/** A workflow that was checked: what runs, in which order, with what. Plain data, without any secret. */
export interface WorkflowSpec {
  /** The blueprint's name. */
  name: string;
  /** In blueprint order. */
  nodes: readonly NodeSpec[];
  /** Inputs of every start node. */
  inputs: readonly DataReference[];
  /** Time limit of the whole, in seconds; null for none. */
  timeout_s: number | null;
  /** The submitter's name for it; null for none. */
  correlation_id: string | null;
  labels: Readonly<Record<string, string>>;
  /** W3C trace context that the calls continue (R-TRACE-01). */
  traceparent: string;
}
