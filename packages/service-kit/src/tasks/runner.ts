import { ControlError, type DataReference, type ExecuteRequest } from "@aieffect/control-interface";
import { toShown } from "../observability/redact.ts";
import { traceIdOf } from "../observability/trace.ts";
import type { Operation } from "../operation.ts";
import { type ContextHost, TaskContext } from "./context.ts";
import type { EngineParts } from "./engine.ts";
import type { Execution, ExecutionChange } from "./execution.ts";
import { LazyAbort } from "./lazy-abort.ts";
import { parseParameters, sortInputs } from "./parameters.ts";
import { checkResult, findPublished } from "./result.ts";
import type { Slots } from "./slots.ts";
import { createUnkeptEnds } from "./unkept-ends.ts";

/** Longer error texts and messages are cut: they are kept, logged and answered many times over. */
const maxErrorLength = 4000;
const maxMessageLength = 1000;

/** What a task is run with beside its request. */
export interface RunOptions {
  /** Size of the request's body. @default 0 */
  size_bytes?: number | undefined;
  traceparent?: string | undefined;
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
  /** The end of one that runs here. */
  endOf(handle: string): Promise<Execution> | undefined;
  /** Fires the signal of one that runs here. */
  abort(handle: string, reason: Error): void;
  /** Handles of all whose operation goes on here. */
  handles(): string[];
  /** The execution with the end that its caller was told, be it that the store does not know it yet. */
  asTold(execution: Execution): Execution;
  /** Resolves when all that runs here now has ended, and the store has taken the end. */
  settled(): Promise<unknown>;
  /** Gives up on ends that the store does not take. */
  close(): void;
}

/** One that runs here. */
interface Running {
  abort: LazyAbort;
  ended: Promise<Execution>;
  /** A progress was refused by the store, and that was logged. */
  refusal_logged: boolean;
}

export function createRunner(parts: EngineParts, slots: Slots): Runner {
  const { store, plane, log, metrics, now, secrets } = parts;
  const running = new Map<string, Running>();
  /** Folders that the store did not take; their executions' ends bring them along. */
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
    dataUrl: parts.dataUrl,
    createLog: (execution, traceparent) => log.child({ ...idsOf(execution), ...traceIdOf(traceparent) }),
    report(execution, progress, message) {
      const told =
        message === undefined ? {} : { message: toShown(String(message), secrets, maxMessageLength) };
      store.update(execution.handle, { progress, ...told }).catch((error: unknown) => {
        const task = running.get(execution.handle);
        // What has ended has no progress that could be missed.
        if (task === undefined || task.refusal_logged) return;
        task.refusal_logged = true;
        log.error({ err: error, ...idsOf(execution) }, "the store does not take the progress of a task");
      });
    },
    async noteFolder(execution, folder) {
      try {
        if ((await store.update(execution.handle, { folder })) !== undefined) return;
      } catch (error) {
        log.error({ err: error, ...idsOf(execution) }, "the store does not take the folder of a task");
        folders.set(execution.handle, folder);
        return;
      }
      // Ended before it had a folder, by a cancel: nobody would ever remove this one.
      await plane.removeTaskFolder(folder);
      throw new ControlError("aborted", "The task has ended");
    },
  };

  async function run(
    operation: Operation,
    request: ExecuteRequest,
    execution: Execution,
    options: RunOptions,
    abort: LazyAbort,
  ): Promise<Execution> {
    let change: ExecutionChange;
    let countEnd: ReturnType<typeof metrics.started> | undefined;
    try {
      const slot = slots.acquire(options.size_bytes ?? 0, abort);
      const release = slot instanceof Promise ? await slot : slot;
      countEnd = metrics.started(execution.method);
      // A cancelled task has ended for its callers; its place is free when the operation is really over.
      change = await abort.race(perform(operation, request, execution, options, abort), release);
    } catch (error) {
      change = toFailure(execution, error);
    }
    const ended = await finish(execution, change);
    running.delete(execution.handle);
    countEnd?.(ended.status === "complete" ? "complete" : "failed");
    logEnd(ended, options);
    return ended;
  }

  async function perform(
    operation: Operation,
    request: ExecuteRequest,
    execution: Execution,
    { traceparent }: RunOptions,
    abort: LazyAbort,
  ): Promise<ExecutionChange> {
    const inputs = request.inputs as DataReference[];
    const { parameters, data } = sortInputs(operation, inputs, request.parameters);
    const parsed = parseParameters(operation, parameters);
    const context = new TaskContext(host, execution, parsed, data, abort, traceparent);
    try {
      const returned = await operation.run(context);
      if (returned == null && operation.sink) return { status: "complete" };
      const checked = await checkResult(operation, returned, context.published, inputs);
      const published = findPublished(context.published, checked);
      if (published === undefined) return { status: "complete", output: checked };
      // Signed anew: the URL is valid as long as the result is kept, which counts from the end (R-SIGN-02).
      const output = published.as === "http" ? { ...checked, uri: host.dataUrl(execution.handle) } : checked;
      const { path, format, size_bytes } = published;
      return { status: "complete", output, payload: { path, format, size_bytes } };
    } finally {
      context.close();
    }
  }

  /** Keeps the end, unless the task was cancelled meanwhile: what ended first stays. */
  async function finish(execution: Execution, change: ExecutionChange): Promise<Execution> {
    change.ended_at = now();
    if (folders.size > 0) bringFolder(execution, change);
    try {
      return (await store.update(execution.handle, change)) ?? (await overtaken(execution, change));
    } catch (error) {
      const message = "the store does not take the end of a task; it is asked again until it does";
      log.error({ err: error, ...idsOf(execution) }, message);
      return unkept.add(execution, change);
    }
  }

  function bringFolder({ handle }: Execution, change: ExecutionChange): void {
    const folder = folders.get(handle);
    if (folder === undefined) return;
    change.folder = folder;
    folders.delete(handle);
  }

  /** An execution that has ended before. */
  async function overtaken(execution: Execution, change: ExecutionChange): Promise<Execution> {
    const ended = await store.find(execution.handle);
    // The store has never heard of that folder, and nobody would ever remove it.
    if (change.folder !== undefined && ended?.folder === undefined) {
      await plane.removeTaskFolder(change.folder);
    }
    return ended ?? { ...execution, ...change };
  }

  /** Never throws, whatever an operation throws: objects without a prototype, hostile getters, nothing at all. */
  function toFailure(execution: Execution, thrown: unknown): ExecutionChange {
    const said = textOf(thrown) || `${execution.method} failed without saying why`;
    try {
      if (!(thrown instanceof ControlError))
        log.warn({ err: thrown, ...idsOf(execution) }, "the operation threw");
    } catch {
      // What was thrown cannot even be logged; its text, if it has one, is in the line of the task's end.
    }
    return { status: "failed", error: toShown(said, secrets, maxErrorLength) };
  }

  function logEnd(ended: Execution, { traceparent, correlation_id }: RunOptions): void {
    const { workflow_id, task_id, method, status, error, created_at, ended_at } = ended;
    const duration_ms = (ended_at ?? created_at) - created_at;
    const line: Record<string, unknown> = { workflow_id, task_id, method, status, duration_ms };
    if (error !== null) line.error = error;
    if (traceparent !== undefined) Object.assign(line, traceIdOf(traceparent));
    if (correlation_id !== undefined) line.correlation_id = correlation_id;
    log.info(line, "task ended");
  }

  return {
    start(operation, request, execution, options) {
      const abort = new LazyAbort();
      const ended = run(operation, request, execution, options, abort);
      running.set(execution.handle, { abort, ended, refusal_logged: false });
      return ended;
    },
    endOf: (handle) => running.get(handle)?.ended,
    abort: (handle, reason) => running.get(handle)?.abort.abort(reason),
    handles: () => [...running.keys()].filter((handle) => !unkept.has(handle)),
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

function idsOf({ workflow_id, task_id, method }: Execution) {
  return { workflow_id, task_id, method };
}
