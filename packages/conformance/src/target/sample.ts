/** A reference as a manifest writes it: the uri may be told by its content. */
export interface SampleReference {
  protocol: string;
  /** Text, or `{$json}`, `{$b64}`, `{$fixture}`: content that is encoded, or hosted, by the harness. */
  uri: string | { $json: unknown } | { $b64: string } | { $fixture: string };
  format: string;
  [field: string]: unknown;
}

/** How outputs of the same request are compared. */
export interface Comparison {
  /** `bytes`, `json` (parsed, keys in any order), `shape` (types only), `none` (outputs differ by nature). @default "json" for json, else "bytes" */
  mode?: "bytes" | "json" | "shape" | "none" | undefined;
  /** Paths that are left out, as in `$.timestamp`. */
  ignore?: readonly string[] | undefined;
}

/** How a method answers. */
export type Mode = "sequential" | "concurrent" | "either";

/** One invocation that the harness may make. */
export interface Sample {
  method: string;
  /** As in the manifest: `a`, `b`, `fail`, `slow`. */
  name: string;
  mode: Mode;
  /** Its method produces nothing. */
  sink: boolean;
  inputs: readonly SampleReference[];
  parameters: Readonly<Record<string, unknown>> | undefined;
  expect: "complete" | "failed";
  /** It runs at least so long. @default 0 */
  at_least_ms: number;
  /** It ends within this time. */
  max_duration_ms: number;
  compare: Comparison;
  /** Methods that take its method's output as their input. @default undefined: not said */
  feeds?: readonly string[] | undefined;
}
