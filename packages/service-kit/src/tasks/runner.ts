import { ControlError, type DataReference, type ExecuteRequest } from "@aieffect/control-interface";
import { toShown } from "../observability/redact.ts";
import { type TraceContext, traceIdOf } from "../observability/trace.ts";
import type { TraceSpan } from "../observability/tracing.ts";
import type { Operation } from "../operation.ts";
import { type ContextHost, TaskContext } from "./context.ts";
import type { EngineParts } from "./engine.ts";
import { type Execution, type ExecutionChange, hasEnded, idsOf } from "./execution.ts";
import { LazyAbort } from "./lazy-abort.ts";
import { measureFolder } from "./measure-folder.ts";
import { createNotedFolders } from "./noted-folders.ts";
import { parseParameters, sortInputs } from "./parameters.ts";
import { checkResult, findPublished } from "./result.ts";
import type { Slots } from "./slots.ts";
import { createUnkeptEnds } from "./unkept-ends.ts";

/** Longer error texts and messages are cut: they are kept, logged and answered many times over. */
const maxErrorLength = 4000;
const maxMessageLength = 1000;

const forgotten = {
  status: "failed",
  error:
    "The task ended, but its result could not be kept, because the store has lost it; send the task again",
  retryable: true,
  output: null,
  payload: undefined,
} as const;

/** What a task is run with beside its request. */
export interface RunOptions {
  /** Size of the request's body. @default 0 */
  size_bytes?: number | undefined;
  /** The span that it belongs to. */
  trace?: TraceContext | undefined;
  correlation_id?: string | undefined;
}

/** Runs executions in this process. */
export interface Runner {
  /** Runs one to its end, however it ends; never rejects. */
  start(
    operation: Operation,
    request: ExecuteRequest,
    execution: Execution,
    options: RunOptions,
  ): Promise<Execution>;
  /**
   * Keeps the end of an execution: as long as the store refuses it, it is asked again, and the caller
   * of a sequential one is told after about 10 s that it failed. Gives it as it is kept; never rejects.
   */
  finish(execution: Execution, change: ExecutionChange): Promise<Execution>;
  /** The end of one that runs here. */
  endOf(handle: string): Promise<Execution> | undefined;
  /** Fires the signal of one that runs here. */
  abort(handle: string, reason: Error): void;
  /** All whose operation goes on here, as they began. */
  going(): Execution[];
  /** The execution with the end that its caller was told, be it that the store does not know it yet. */
  asTold(execution: Execution): Execution;
  /** Resolves when all that runs here now has ended, and the store has taken the end. */
  settled(): Promise<unknown>;
  /** Gives up on ends that the store does not take. */
  close(): void;
}

/** One that runs here. */
interface Running {
  execution: Execution;
  abort: LazyAbort;
  ended: Promise<Execution>;
  trace: TraceContext | undefined;
  /** A progress was refused by the store, and that was logged. */
  refusal_logged: boolean;
}

export function createRunner(parts: EngineParts, slots: Slots): Runner {
  const { store, plane, log, metrics, tracing, now, secrets } = parts;
  const running = new Map<string, Running>();
  /** Of those that have one: most tasks have none, and pay nothing for it. */
  const folders = new Map<string, string>();
  const unkept = createUnkeptEnds({
    keep: async (execution, change) =>
      (await store.update(execution.handle, change)) ?? overtaken(execution, change),
    log,
    now,
  });
  const host: ContextHost = {
    plane,
    publish_as: parts.publish_as,
    patience_ms: parts.patience_ms,
    dataUrl: parts.dataUrl,
    tracing,
    createLog: (execution, trace) => log.child({ ...idsOf(execution), ...traceIdOf(trace) }),
    report(execution, progress, message) {
      const told =
        message === undefined ? {} : { message: toShown(String(message), secrets, maxMessageLength) };
      store.update(execution.handle, { progress, ...told }).catch((error: unknown) => {
        const task = running.get(execution.handle);
        // What has ended has no progress that could be missed.
        if (task === undefined || task.refusal_logged) return;
        task.refusal_logged = true;
        log.error({ err: error, ...namesOf(execution) }, "the store does not take the progress of a task");
      });
    },
    noteRetry({ created_at }, taskLog, { attempt, offset, reason }) {
      const line = { status: "running", duration_ms: Math.max(0, now() - created_at), attempt, offset };
      taskLog.warn(
        { ...line, reason: toShown(reason, secrets, maxMessageLength) },
        "fetching an input goes on",
      );
    },
    async createFolder(execution) {
      const { workflow_id, task_id, handle } = execution;
      const noted = createNotedFolders(handle, parts);
      try {
        const folder = await plane.createTaskFolder(workflow_id, task_id, noted.plan);
        await keepFolder(execution, folder);
        return folder;
      } finally {
        // Nobody has to wait for that.
        void noted.forgetRemoved();
      }
    },
  };

  async function keepFolder(execution: Execution, folder: string): Promise<void> {
    folders.set(execution.handle, folder);
    try {
      if ((await store.update(execution.handle, { folder })) !== undefined) return;
    } catch (error) {
      // Its end brings it along.
      log.error({ err: error, ...namesOf(execution) }, "the store does not take the folder of a task");
      return;
    }
    // Ended before it had a folder, by a cancel: nobody would ever remove this one.
    folders.delete(execution.handle);
    await plane.removeTaskFolder(folder);
    throw new ControlError("aborted", "The task has ended");
  }

  /** What a line about one that runs here has. */
  function namesOf(execution: Execution) {
    return { ...idsOf(execution), ...traceIdOf(running.get(execution.handle)?.trace) };
  }

  async function run(
    operation: Operation,
    request: ExecuteRequest,
    execution: Execution,
    options: RunOptions,
    abort: LazyAbort,
  ): Promise<Execution> {
    let change: ExecutionChange;
    let countEnd: ReturnType<typeof metrics.started> | undefined;
    let span: TraceSpan | undefined;
    let thrown: unknown;
    const stopListening = store.shared ? abortWhenEnded(execution, abort) : undefined;
    try {
      const slot = slots.acquire(options.size_bytes ?? 0, abort);
      const release = slot instanceof Promise ? await slot : slot;
      countEnd = metrics.started(execution.method);
      span = tracing.startSpan(execution.method, "internal", options.trace);
      // A cancelled task has ended for its callers; its place is free when the operation is really over.
      change = await abort.race(perform(operation, request, execution, span, options, abort), release);
    } catch (error) {
      thrown = error;
      change = toFailure(execution, error);
    }
    stopListening?.();
    const ended = await finish(execution, change);
    running.delete(execution.handle);
    countEnd?.(ended.status === "complete" ? "complete" : "failed");
    if (span !== undefined) endSpan(span, ended, thrown);
    logEnd(ended, options);
    return ended;
  }

  /** Another replica can cancel what runs here (R-CANCEL-01), or take this one for dead (R-LOST-02). */
  function abortWhenEnded({ handle }: Execution, abort: LazyAbort): () => void {
    return store.subscribe(handle, (next) => {
      if (hasEnded(next)) abort.abort(new ControlError("aborted", next.error ?? "The task has ended"));
    });
  }

  async function perform(
    operation: Operation,
    request: ExecuteRequest,
    execution: Execution,
    span: TraceSpan | undefined,
    options: RunOptions,
    abort: LazyAbort,
  ): Promise<ExecutionChange> {
    const inputs = request.inputs as DataReference[];
    const { parameters, data } = sortInputs(operation, inputs, request.parameters);
    const parsed = parseParameters(operation, parameters);
    const context = new TaskContext(host, execution, parsed, data, abort, span ?? options.trace);
    try {
      const returned = await (span === undefined
        ? operation.run(context)
        : span.run(() => operation.run(context)));
      if (returned == null && operation.sink) return { status: "complete" };
      const checked = await checkResult(operation, returned, context.published, inputs);
      const published = findPublished(context.published, checked);
      if (published === undefined) return { status: "complete", output: checked };
      const { path, format, size_bytes, renew } = published;
      // Signed anew: the URL is valid as long as the result is kept, which counts from the end (R-SIGN-02).
      const output = renew === undefined ? checked : { ...checked, uri: renew() };
      return { status: "complete", output, payload: { path, format, size_bytes } };
    } finally {
      context.close();
    }
  }

  /** Keeps the end, unless the task was cancelled meanwhile: what ended first stays. */
  async function finish(execution: Execution, change: ExecutionChange): Promise<Execution> {
    // A clock may be put back.
    change.ended_at = Math.max(now(), execution.created_at);
    const folder = folders.get(execution.handle);
    if (folder !== undefined) {
      folders.delete(execution.handle);
      change.folder = folder;
      change.folder_bytes = await measureFolder(folder, execution, parts);
    }
    try {
      return (await store.update(execution.handle, change)) ?? (await overtaken(execution, change));
    } catch (error) {
      const message = "the store does not take the end of a task; it is asked again until it does";
      log.error({ err: error, ...namesOf(execution) }, message);
      return unkept.add(execution, change);
    }
  }

  /** An execution that has ended before. */
  async function overtaken(execution: Execution, change: ExecutionChange): Promise<Execution> {
    const ended = await store.find(execution.handle);
    // The store has never heard of that folder, and nobody would ever remove it.
    if (change.folder !== undefined && ended?.folder === undefined) {
      await plane.removeTaskFolder(change.folder);
    }
    if (ended !== undefined) return ended;
    // A store that has lost its data: nobody would find that payload.
    return { ...execution, ...change, ...(change.payload !== undefined && forgotten) };
  }

  /** Never throws, whatever an operation throws: objects without a prototype, hostile getters, nothing at all. */
  function toFailure(execution: Execution, thrown: unknown): ExecutionChange {
    const said = textOf(thrown) || `${execution.method} failed without saying why`;
    try {
      if (!(thrown instanceof ControlError))
        log.warn({ err: thrown, ...namesOf(execution) }, "the operation threw");
    } catch {
      // What was thrown cannot even be logged; its text, if it has one, is in the line of the task's end.
    }
    return { status: "failed", error: toShown(said, secrets, maxErrorLength) };
  }

  function logEnd(ended: Execution, { trace }: RunOptions): void {
    const { workflow_id, task_id, method, status, error, correlation_id, created_at, ended_at } = ended;
    const duration_ms = (ended_at ?? created_at) - created_at;
    const line: Record<string, unknown> = { workflow_id, task_id, method, status, duration_ms };
    if (error !== null) line.error = error;
    if (trace !== undefined) Object.assign(line, traceIdOf(trace));
    if (correlation_id !== undefined) line.correlation_id = correlation_id;
    log.info(line, "task ended");
  }

  return {
    start(operation, request, execution, options) {
      const abort = new LazyAbort();
      const ended = run(operation, request, execution, options, abort);
      running.set(execution.handle, { execution, abort, ended, trace: options.trace, refusal_logged: false });
      return ended;
    },
    finish,
    endOf: (handle) => running.get(handle)?.ended,
    abort: (handle, reason) => running.get(handle)?.abort.abort(reason),
    going: () =>
      [...running.values()].flatMap(({ execution }) => (unkept.has(execution.handle) ? [] : [execution])),
    asTold: unkept.asTold,
    settled: async () => {
      await Promise.all([...running.values()].map(({ ended }) => ended));
      await unkept.settled();
    },
    close: unkept.giveUp,
  };
}

function textOf(thrown: unknown): string {
  try {
    const text = thrown instanceof Error ? thrown.message : thrown;
    return (typeof text === "string" ? text : text === undefined ? "" : String(text)).trim();
  } catch {
    // Not every value has a text.
    return "";
  }
}

/** Also of one that was cancelled while its operation goes on. */
function endSpan(span: TraceSpan, ended: Execution, thrown: unknown): void {
  const { handle, status, error } = ended;
  span.set({ ...idsOf(ended), handle, status });
  span.end(status === "failed" ? (thrown ?? error) : undefined);
}
