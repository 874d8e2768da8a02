import { hash, randomUUID } from "node:crypto";
import {
  ControlError,
  canonicalJson,
  type DataReference,
  type ExecuteRequest,
  type ExecuteResponse,
} from "@aieffect/control-interface";
import type { FilePlane } from "@aieffect/data-plane-file";
import type { Logger } from "pino";
import type { Metrics } from "../observability/metrics.ts";
import { redact } from "../observability/redact.ts";
import { traceIdOf } from "../observability/trace.ts";
import type { Operation, PublishOptions, Style } from "../operation.ts";
import { type ContextHost, TaskContext } from "./context.ts";
import {
  createExecution,
  type Execution,
  type ExecutionChange,
  hasEnded,
  toExecuteAnswer,
} from "./execution.ts";
import { LazyAbort } from "./lazy-abort.ts";
import { parseParameters, sortInputs } from "./parameters.ts";
import { checkResult } from "./result.ts";
import { createSlots } from "./slots.ts";
import type { Begun, TaskStore } from "./task-store.ts";

/** What an engine is made of. */
export interface EngineParts {
  operations: ReadonlyMap<string, Operation>;
  /** For operations that do not say. */
  style: Style;
  store: TaskStore;
  plane: FilePlane;
  log: Logger;
  metrics: Metrics;
  max_running: number;
  max_queued: number;
  publish_as: NonNullable<PublishOptions["as"]>;
  dataUrl(handle: string): string;
  /** Texts that must never leave the service, e.g. its key. */
  secrets: readonly string[];
  /** Epoch ms. */
  now(): number;
}

/** How one call to execute came in. */
interface ExecuteOptions {
  idempotency_key?: string | undefined;
  /** Seconds to wait for the end of a concurrent operation (R-WAIT-03). */
  wait_s?: number | undefined;
  traceparent?: string | undefined;
  correlation_id?: string | undefined;
  /** A signal that fires when the caller goes away; asked for only where waiting outlives the call. */
  gone(): AbortSignal;
}

/** What execute answers, and how it came about. */
interface ExecuteOutcome {
  answer: ExecuteResponse;
  execution: Execution;
  /** The caller was attached to an execution, or given an earlier answer (R-IDEM-03). */
  replayed: boolean;
}

interface Running {
  abort: LazyAbort;
  /** Resolves with the last snapshot; never rejects. */
  ended: Promise<Execution>;
}

/** Runs operations: both styles, safe retry, cancel, limits. Knows nothing of HTTP. */
export interface Engine {
  /** @throws ControlError `unknown_method`, `queue_full`, `stopping`, `idempotency_mismatch` */
  execute(request: ExecuteRequest, options: ExecuteOptions): Promise<ExecuteOutcome>;
  /** @throws ControlError `task_not_found` */
  find(id: string): Promise<Execution>;
  /** Cancels a running task; tells whether it was running. @throws ControlError `task_not_found` */
  cancel(id: string): Promise<{ execution: Execution; cancelled: boolean }>;
  /**
   * Resolves with the first snapshot for which `until` holds, or with the present one after
   * `wait_s` seconds, when the caller goes away, or when the service stops.
   */
  waitFor(
    execution: Execution,
    until: (next: Execution) => boolean,
    wait_s: number,
    signal: AbortSignal,
  ): Promise<Execution>;
  /** Fires when the service begins to stop. */
  readonly stopping: AbortSignal;
  readonly queue: { readonly running: number; readonly waiting: number };
  /** Drops what retention allows. */
  prune(): Promise<void>;
  /** Takes no new tasks, gives running ones `grace_ms`, then aborts them. */
  stop(grace_ms: number): Promise<void>;
}

export function createEngine(parts: EngineParts): Engine {
  const { operations, store, plane, log, metrics, now } = parts;
  const slots = createSlots(parts.max_running, parts.max_queued);
  const running = new Map<string, Running>();
  const stopping = new AbortController();
  const host: ContextHost = {
    plane,
    publish_as: parts.publish_as,
    dataUrl: parts.dataUrl,
    createLog: (execution, traceparent) => log.child({ ...idsOf(execution), ...traceIdOf(traceparent) }),
    report(execution, progress, message) {
      const told = message === undefined ? {} : { message: redact(message, parts.secrets) };
      store.update(execution.handle, { progress, ...told }).catch((error: unknown) => {
        log.error({ err: error, ...idsOf(execution) }, "the store did not take a progress");
      });
    },
    async noteFolder(execution, folder) {
      if ((await store.update(execution.handle, { folder })) !== undefined) return;
      // Ended before it had a folder, by a cancel: nobody would ever remove this one.
      await plane.removeTaskFolder(folder);
      throw new ControlError("aborted", "The task has ended");
    },
  };

  async function execute(request: ExecuteRequest, options: ExecuteOptions): Promise<ExecuteOutcome> {
    const operation = operations.get(request.method);
    if (operation === undefined) throw unknownMethod(request.method, operations);
    if (stopping.signal.aborted) {
      throw new ControlError("stopping", "The service is stopping and takes no new tasks", {
        retry_after_s: 5,
      });
    }
    const candidate = toCandidate(operation, request, options.idempotency_key);
    slots.assertRoom();
    const begun = await store.begin(candidate, options.idempotency_key);
    if (begun.outcome === "mismatch") throw keyMismatch(options.idempotency_key);
    if (begun.outcome === "started") start(operation, request, candidate, options);
    return answer(begun, options);
  }

  function toCandidate(operation: Operation, request: ExecuteRequest, key: string | undefined): Execution {
    const style = operation.style ?? parts.style;
    return createExecution(randomUUID(), request, style, fingerprintOf(request), now(), key);
  }

  async function answer(begun: Begun, { wait_s, gone }: ExecuteOptions): Promise<ExecuteOutcome> {
    const { outcome, execution } = begun;
    const replayed = outcome !== "started";
    if (execution.style === "sequential" || (outcome === "replayed" && execution.first_answer === "end")) {
      const ended = await endOf(execution, gone);
      return { answer: toExecuteAnswer(ended), execution: ended, replayed };
    }
    const asFirstGiven = outcome === "replayed" && execution.first_answer === "running";
    if (wait_s && !asFirstGiven) {
      const seen = await waitFor(execution, hasEnded, wait_s, gone());
      if (hasEnded(seen)) {
        await store.answered(seen.handle, "end");
        return { answer: toExecuteAnswer(seen), execution: seen, replayed };
      }
    }
    // Without a wait a concurrent operation answers running however quick it was (R-RUN-02).
    await store.answered(execution.handle, "running");
    return { answer: { status: "running", task_id: execution.handle }, execution, replayed };
  }

  /** The end of an execution, in this process or in another one that shares the store. */
  async function endOf(execution: Execution, gone: () => AbortSignal): Promise<Execution> {
    if (hasEnded(execution)) return execution;
    const here = running.get(execution.handle);
    if (here !== undefined) return here.ended;
    return waitFor(execution, hasEnded, Number.POSITIVE_INFINITY, gone());
  }

  function start(
    operation: Operation,
    request: ExecuteRequest,
    execution: Execution,
    options: ExecuteOptions,
  ): void {
    const abort = new LazyAbort();
    const ended = run(operation, request, execution, options, abort)
      .catch(async (error: unknown) => {
        log.error({ err: error, ...idsOf(execution) }, "the store did not take the end of a task");
        return {
          ...execution,
          status: "failed" as const,
          error: "Internal error; the service's log has the details",
        };
      })
      .finally(() => running.delete(execution.handle));
    running.set(execution.handle, { abort, ended });
  }

  async function run(
    operation: Operation,
    request: ExecuteRequest,
    execution: Execution,
    options: ExecuteOptions,
    abort: LazyAbort,
  ): Promise<Execution> {
    const slot = slots.acquire();
    const release = slot instanceof Promise ? await slot : slot;
    const timer = metrics.started(execution.method);
    let change: ExecutionChange;
    try {
      // Cancelled while it waited its turn.
      abort.throwIfAborted();
      change = await perform(operation, request, execution, options, abort);
    } catch (error) {
      change = toFailure(execution, error);
    } finally {
      release();
    }
    const ended = await finish(execution, change);
    timer(ended.status === "complete" ? "complete" : "failed");
    logEnd(ended, now() - execution.created_at, options);
    return ended;
  }

  function logEnd(
    ended: Execution,
    duration_ms: number,
    { traceparent, correlation_id }: ExecuteOptions,
  ): void {
    const { workflow_id, task_id, method, status, error } = ended;
    const line: Record<string, unknown> = { workflow_id, task_id, method, status, duration_ms };
    if (error !== null) line.error = error;
    if (traceparent !== undefined) Object.assign(line, traceIdOf(traceparent));
    if (correlation_id !== undefined) line.correlation_id = correlation_id;
    log.info(line, "task ended");
  }

  async function perform(
    operation: Operation,
    request: ExecuteRequest,
    execution: Execution,
    options: ExecuteOptions,
    abort: LazyAbort,
  ): Promise<ExecutionChange> {
    const { parameters, data } = sortInputs(operation, request.inputs as DataReference[], request.parameters);
    const context = new TaskContext(
      host,
      execution,
      parseParameters(operation, parameters),
      data,
      abort,
      options.traceparent,
    );
    const returned = await operation.run(context);
    const output = await checkResult(
      operation,
      returned,
      context.published,
      request.inputs as DataReference[],
    );
    const published =
      output === null
        ? undefined
        : context.published.findLast(({ reference }) => reference.uri === output.uri);
    if (published === undefined) return { status: "complete", output };
    return { status: "complete", output, payload: { path: published.path, format: published.format } };
  }

  /** Keeps the end, unless the task was cancelled meanwhile: what ended first stays. */
  async function finish(execution: Execution, change: ExecutionChange): Promise<Execution> {
    change.ended_at = now();
    const ended = await store.update(execution.handle, change);
    return ended ?? (await store.find(execution.handle)) ?? { ...execution, ...change };
  }

  function toFailure(execution: Execution, thrown: unknown): ExecutionChange {
    if (!(thrown instanceof ControlError)) {
      log.warn({ err: thrown, ...idsOf(execution) }, "the operation threw");
    }
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    const error = redact(
      text.trim() === "" ? `${execution.method} failed without saying why` : text,
      parts.secrets,
    );
    return { status: "failed", error };
  }

  async function find(id: string): Promise<Execution> {
    const execution = await store.find(id);
    if (execution === undefined) throw new ControlError("task_not_found", "Task not found");
    return execution;
  }

  async function end(
    handle: string,
    change: ExecutionChange,
    reason: ControlError,
  ): Promise<Execution | undefined> {
    const ended = await store.update(handle, { status: "failed", ...change, ended_at: now() });
    running.get(handle)?.abort.abort(reason);
    return ended;
  }

  async function cancel(id: string): Promise<{ execution: Execution; cancelled: boolean }> {
    const execution = await find(id);
    if (hasEnded(execution)) return { execution, cancelled: false };
    const ended = await end(
      execution.handle,
      { error: "Cancelled" },
      new ControlError("aborted", "Cancelled"),
    );
    return ended === undefined
      ? { execution: await find(execution.handle), cancelled: false }
      : { execution: ended, cancelled: true };
  }

  function waitFor(
    execution: Execution,
    until: (next: Execution) => boolean,
    wait_s: number,
    signal: AbortSignal,
  ): Promise<Execution> {
    if (until(execution) || wait_s <= 0 || signal.aborted || stopping.signal.aborted)
      return Promise.resolve(execution);
    return new Promise((resolve, reject) => {
      const done = (seen: Execution) => {
        clearTimeout(timer);
        unsubscribe();
        signal.removeEventListener("abort", giveUp);
        stopping.signal.removeEventListener("abort", giveUp);
        resolve(seen);
      };
      const giveUp = () => done(latest);
      let latest = execution;
      const hear = (next: Execution) => {
        latest = next;
        if (until(next)) done(next);
      };
      const timer = Number.isFinite(wait_s) ? setTimeout(giveUp, wait_s * 1000) : undefined;
      const unsubscribe = store.subscribe(execution.handle, hear);
      signal.addEventListener("abort", giveUp);
      stopping.signal.addEventListener("abort", giveUp);
      // It may have changed between the snapshot and the subscription.
      store.find(execution.handle).then((present) => present && hear(present), reject);
    });
  }

  async function prune(): Promise<void> {
    for (const { folder } of await store.prune(now())) {
      if (folder !== undefined) await plane.removeTaskFolder(folder);
    }
  }

  async function stop(grace_ms: number): Promise<void> {
    stopping.abort();
    const all = () => Promise.all([...running.values()].map(({ ended }) => ended));
    if (await settlesWithin(all(), grace_ms)) return;
    const reason = "The service was stopped before the task ended; sending it again makes sense";
    for (const handle of running.keys()) {
      await end(handle, { error: reason, retryable: true }, new ControlError("aborted", reason));
    }
    await settlesWithin(all(), 1000);
  }

  return {
    execute,
    find,
    cancel,
    waitFor,
    stopping: stopping.signal,
    queue: slots,
    prune,
    stop,
  };
}

/** Equal for equal requests of one task (R-IDEM-07): the short ones themselves, a hash of the others. */
function fingerprintOf({ method, inputs, parameters }: ExecuteRequest): string {
  let isPlain = inputs.length === 0;
  for (const _ in parameters) isPlain = false;
  if (isPlain) return method;
  const text = canonicalJson({ method, inputs, parameters });
  return text.length <= 256 ? text : hash("sha256", text);
}

function idsOf({ workflow_id, task_id, method }: Execution) {
  return { workflow_id, task_id, method };
}

function unknownMethod(method: string, operations: ReadonlyMap<string, Operation>): ControlError {
  const known = [...operations.keys()].join(", ");
  const shown = method.length > 200 ? `${method.slice(0, 200)}...` : method;
  return new ControlError("unknown_method", `Unknown method: ${shown}. This service has: ${known}`);
}

function keyMismatch(key: string | undefined): ControlError {
  return new ControlError(
    "idempotency_mismatch",
    `The Idempotency-Key "${key}" was used with another body; send the same body, or a new key (R-IDEM-02)`,
  );
}

async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const settled = await Promise.race([promise.then(() => true as const), late]);
  clearTimeout(timer);
  return settled;
}
