import { createHostPolicy, type HostPolicy } from "@aieffect/control-interface";
import { type FailureClass, failureClasses, type RetryPolicy } from "./core/failure.ts";
import type { Logger } from "./logging/logger.ts";
import { type Clock, systemClock } from "./runner/clock.ts";
import { createMemoryStore } from "./store/memory-store.ts";
import type { WorkflowStore } from "./store/store.ts";

/** How an orchestrator works. Everything has a default; the environment is not read. */
export interface OrchestratorOptions {
  /** Whether there is an HTTP API. @default true */
  listen?: boolean;
  /** Port of the HTTP API; 0 picks a free one. @default 0 */
  port?: number;
  /** Address the HTTP API listens on. @default "127.0.0.1" */
  host?: string;
  /** Bearer key that the HTTP API asks for, on everything but /health. @default none */
  api_key?: string;
  /** How long one call to a service may take, in seconds (R-READ-11). @default 30 */
  call_timeout_s?: number;
  /** How long a task may take over all its attempts, in seconds. @default 3600 */
  task_timeout_s?: number;
  /** How long a workflow may take, in seconds; null for no limit. @default null */
  workflow_timeout_s?: number | null;
  /** Tries of a task, the first one included. @default 3 */
  retry_attempts?: number;
  /** Upper bound of the first pause between two tries, in seconds; doubles each time. @default 0.5 */
  retry_backoff_s?: number;
  /** Failures that are tried again beside the transient ones, e.g. `["failed"]`. @default [] */
  retry_on?: readonly FailureClass[];
  /** Longest pause between two polls of a service without long polls, in seconds. @default 5 */
  poll_interval_s?: number;
  /**
   * Executes that go on at one service at once, over all workflows; and as many polls that are held back,
   * and as many other calls. Over that they wait: no part of the limit of a call, but of the task's. @default 256
   */
  max_calls_per_service?: number;
  /** Only these hosts may be called: names, `*.suffix`, addresses, CIDR ranges. @default any but link-local and metadata addresses */
  allow_hosts?: readonly string[];
  /** Largest body that the HTTP API takes, in bytes. @default 16 MiB */
  max_body_bytes?: number;
  /** Ended workflows that are kept. @default 10,000 */
  max_ended_workflows?: number;
  /** How long ended workflows are kept, in seconds. @default 86,400 (24 h) */
  keep_ended_s?: number;
  /** A pino logger, or one like it. @default none */
  logger?: Logger;
  /** Where workflows are kept. @default in memory */
  store?: WorkflowStore;
  /** The time. @default the real one */
  clock?: Clock;
  /** Numbers from 0 to 1 for the jitter of retries. @default Math.random */
  random?: () => number;
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  listen: boolean;
  port: number;
  host: string;
  api_key: string | undefined;
  call_timeout_ms: number;
  task_timeout_s: number;
  workflow_timeout_s: number | null;
  retry: RetryPolicy;
  poll_interval_ms: number;
  max_calls_per_service: number;
  hosts: HostPolicy;
  max_body_bytes: number;
  max_ended: number;
  keep_ended_s: number;
  logger: Logger | undefined;
  store: WorkflowStore;
  clock: Clock;
  random: () => number;
}

/** Fills defaults and checks what was given. @throws TypeError naming the option */
export function resolveOptions(given: OrchestratorOptions = {}): ResolvedOptions {
  const { workflow_timeout_s = null, retry_on = [], api_key } = given;
  for (const failure of retry_on) {
    if (!failureClasses.includes(failure)) {
      throw new TypeError(`Expected retry_on to have ${failureClasses.join(", ")}, got "${failure}"`);
    }
  }
  return {
    listen: given.listen ?? true,
    port: checkNumber("port", given.port ?? 0, { min: 0, max: 65_535, integer: true }),
    host: given.host ?? "127.0.0.1",
    api_key: api_key === "" ? undefined : api_key,
    call_timeout_ms: checkNumber("call_timeout_s", given.call_timeout_s ?? 30, { min: 0.001 }) * 1000,
    task_timeout_s: checkNumber("task_timeout_s", given.task_timeout_s ?? 3600, { min: 0.001 }),
    workflow_timeout_s:
      workflow_timeout_s === null
        ? null
        : checkNumber("workflow_timeout_s", workflow_timeout_s, { min: 0.001 }),
    retry: {
      attempts: checkNumber("retry_attempts", given.retry_attempts ?? 3, { min: 1, max: 100, integer: true }),
      backoff_s: checkNumber("retry_backoff_s", given.retry_backoff_s ?? 0.5, { min: 0 }),
      on: retry_on,
    },
    poll_interval_ms: checkNumber("poll_interval_s", given.poll_interval_s ?? 5, { min: 0.01 }) * 1000,
    max_calls_per_service: checkNumber("max_calls_per_service", given.max_calls_per_service ?? 256, {
      min: 1,
      integer: true,
    }),
    hosts: createHostPolicy(given.allow_hosts === undefined ? {} : { allow_hosts: given.allow_hosts }),
    max_body_bytes: checkNumber("max_body_bytes", given.max_body_bytes ?? 16 * 2 ** 20, {
      min: 1,
      integer: true,
    }),
    max_ended: checkNumber("max_ended_workflows", given.max_ended_workflows ?? 10_000, {
      min: 0,
      integer: true,
    }),
    keep_ended_s: checkNumber("keep_ended_s", given.keep_ended_s ?? 24 * 3600, { min: 0 }),
    logger: given.logger,
    store: given.store ?? createMemoryStore(),
    clock: given.clock ?? systemClock,
    random: given.random ?? Math.random,
  };
}

interface Bounds {
  min: number;
  max?: number;
  integer?: boolean;
}

/** 30 days in seconds: a larger time limit is a mistake. */
const largest = 30 * 24 * 3600;

function checkNumber(name: string, value: number, { min, max, integer = false }: Bounds): number {
  const most = max ?? (integer ? Number.MAX_SAFE_INTEGER : largest);
  if (value >= min && value <= most && (!integer || Number.isInteger(value))) return value;
  const kind = integer ? "an integer" : "a number";
  throw new TypeError(`Expected ${name} to be ${kind} from ${min} to ${most}, got ${value}`);
}
