import { hash } from "node:crypto";
import { setMaxListeners } from "node:events";
import {
  ControlError,
  canonicalJson,
  type ExecuteRequest,
  type ExecuteResponse,
} from "@aieffect/control-interface";
import type { FilePlane } from "@aieffect/data-plane-file";
import type { Logger } from "pino";
import type { Metrics } from "../observability/metrics.ts";
import { type Secrets, toShown } from "../observability/redact.ts";
import type { Tracing } from "../observability/tracing.ts";
import type { Operation, PublishOptions, Style } from "../operation.ts";
import type { DataPlane } from "../planes/data-plane.ts";
import type { Begun, TaskStore } from "../stores/task-store.ts";
import { createHandle } from "./create-handle.ts";
import { createExecution, type Execution, hasEnded, idsOf, toExecuteAnswer } from "./execution.ts";
import { measureFolder } from "./measure-folder.ts";
import { removeLeftFolders } from "./noted-folders.ts";
import { createRunner, type RunOptions } from "./runner.ts";
import { type BodyRoom, createSlots, type SlotLimits } from "./slots.ts";
import { createUploads, type Uploads } from "./uploads.ts";
import { waitFor } from "./wait-for.ts";

/** What an engine is made of. */
export interface EngineParts {
  operations: ReadonlyMap<string, Operation>;
  /** For operations that do not say. */
  style: Style;
  store: TaskStore;
  plane: FilePlane;
  /** Those beside it. */
  planes: readonly DataPlane[];
  log: Logger;
  metrics: Metrics;
  tracing: Tracing;
  limits: SlotLimits;
  publish_as: NonNullable<PublishOptions["as"]>;
  /** So long the inputs of a sequential operation may bring nothing, in ms. */
  patience_ms: number | undefined;
  /** Bytes that the files of ended tasks may take; Infinity: no limit. */
  max_payload_bytes: number;
  /** The URL under which peers fetch the payload of an execution. */
  dataUrl(handle: string): string;
  /** What must never leave the service, e.g. its key. */
  secrets: Secrets;
  /** Epoch ms. */
  now(): number;
}

/** How one call to execute came in. */
interface ExecuteOptions extends RunOptions {
  /** What the body took while it came; given back where the task takes its own. */
  body_room?: BodyRoom | undefined;
  idempotency_key?: string | undefined;
  /** Seconds to wait for the end of a concurrent operation (R-WAIT-03). */
  wait_s?: number | undefined;
  /** Its signal fires when the caller goes away; asked for only where waiting can outlive the call. */
  caller: { gone(): AbortSignal };
}

/** What execute answers, and how it came about. */
interface ExecuteOutcome {
  answer: ExecuteResponse;
  execution: Execution;
  /** The caller was attached to an execution, or given an earlier answer (R-IDEM-03). */
  replayed: boolean;
}

/** Runs operations: both styles, safe retry, cancel, limits. Knows nothing of HTTP. */
export interface Engine {
  /** @throws ControlError `unknown_method`, `queue_full`, `stopping`, `idempotency_mismatch` */
  execute(request: ExecuteRequest, options: ExecuteOptions): Promise<ExecuteOutcome>;
  /** Room for the body of a call to execute, for {@link ExecuteOptions}. */
  createBodyRoom(): BodyRoom;
  /** Keeps an upload; see {@link Uploads.keep}. @throws ControlError `stopping` */
  keep: Uploads["keep"];
  /** @throws ControlError `task_not_found` */
  find(id: string): Promise<Execution>;
  /** A task of this workflow, by handle, else the newest that is known under that raw task_id. */
  findIn(workflow_id: string, id: string): Promise<Execution | undefined>;
  /** Cancels a running task; tells whether it was running. @throws ControlError `task_not_found` */
  cancel(id: string): Promise<{ execution: Execution; cancelled: boolean }>;
  /**
   * Resolves with the execution when `until` holds, or as it is after `wait_s` seconds, when the
   * caller goes away, or when the service stops.
   */
  waitFor(
    execution: Execution,
    until: (next: Execution) => boolean,
    wait_s: number,
    gone: AbortSignal,
  ): Promise<Execution>;
  /** Fires when the service begins to stop. */
  readonly stopping: AbortSignal;
  readonly queue: { readonly running: number; readonly waiting: number };
  /** Drops what retention allows, with its files. */
  prune(): Promise<void>;
  /** Removes folders without a task, of processes that died. */
  removeLeftFolders(): Promise<void>;
  /** Takes no new tasks, gives running ones `grace_ms`, then aborts them. */
  stop(grace_ms: number): Promise<void>;
}

/** How soon old tasks are looked for after one that takes room on a disk with a quota has ended, in ms. */
const pruneSoon_ms = 1000;

const stopped = "The service was stopped before the task ended; sending it again makes sense";

export function createEngine(parts: EngineParts): Engine {
  const { operations, store, plane, log, now } = parts;
  const slots = createSlots(parts.limits);
  const runner = createRunner(parts, slots);
  const stopping = new AbortController();
  const uploads = createUploads(parts, {
    endOf: (execution) => endOf(execution, { gone: () => stopping.signal }),
    finish: runner.finish,
  });
  // Every caller that waits listens; that they are many is no leak, as Node would warn.
  setMaxListeners(0, stopping.signal);

  async function execute(request: ExecuteRequest, options: ExecuteOptions): Promise<ExecuteOutcome> {
    const operation = operations.get(request.method);
    if (operation === undefined) throw unknownMethod(request.method, parts);
    const candidate = createExecution(
      createHandle(),
      request,
      operation.style ?? parts.style,
      fingerprintOf(request),
      now(),
      options.idempotency_key,
      options.correlation_id,
    );
    // Told at once, so it need not be noted later (R-RUN-02).
    if (candidate.style === "concurrent" && !options.wait_s) candidate.first_answer = "running";
    const { idempotency_key, size_bytes = 0, body_room } = options;
    let reserved = false;
    let begun: Begun;
    try {
      begun = await store.begin(candidate, idempotency_key, () => {
        reserved ||= reserve(size_bytes, body_room);
      });
    } catch (error) {
      if (reserved) slots.cancel(size_bytes);
      throw error;
    }
    if (begun.outcome !== "started") {
      if (reserved) slots.cancel(size_bytes);
      if (begun.outcome === "mismatch") throw keyMismatch(idempotency_key);
      return answer(begun, options);
    }
    const ended = runner.start(operation, request, candidate, options);
    if (hasQuota) void ended.then(pruneSoon);
    if (candidate.style === "concurrent") return answer(begun, options);
    const execution = await ended;
    return { answer: toExecuteAnswer(execution), execution, replayed: false };
  }

  /** Only what is new needs room: who asks again for what is known gets it also from a full or stopping service. */
  function reserve(size_bytes: number, body_room: BodyRoom | undefined): true {
    assertNotStopping();
    slots.reserve(size_bytes, body_room);
    return true;
  }

  function assertNotStopping(): void {
    if (!stopping.signal.aborted) return;
    const message = "The service is stopping and takes no new tasks";
    throw new ControlError("stopping", message, { retry_after_s: 5 });
  }

  async function keep(...[receive, options]: Parameters<Uploads["keep"]>) {
    assertNotStopping();
    const kept = await uploads.keep(receive, options);
    if (hasQuota) pruneSoon(kept.execution);
    return kept;
  }

  async function answer(begun: Begun, { wait_s, caller }: ExecuteOptions): Promise<ExecuteOutcome> {
    const { outcome, execution } = begun;
    const replayed = outcome !== "started";
    if (execution.style === "sequential" || (outcome === "replayed" && execution.first_answer === "end")) {
      const ended = await endOf(execution, caller);
      return { answer: toExecuteAnswer(ended), execution: ended, replayed };
    }
    const asFirstGiven = outcome === "replayed" && execution.first_answer === "running";
    if (wait_s && !asFirstGiven) {
      const seen = await wait(execution, hasEnded, wait_s, caller.gone());
      if (hasEnded(seen)) {
        if (seen.first_answer === undefined) await store.answered(seen.handle, "end");
        return { answer: toExecuteAnswer(seen), execution: seen, replayed };
      }
    }
    // Without a wait a concurrent operation answers running however quick it was (R-RUN-02).
    if (execution.first_answer === undefined) await store.answered(execution.handle, "running");
    return { answer: { status: "running", task_id: execution.handle }, execution, replayed };
  }

  /** The end of an execution, in this process or in another one that shares the store. */
  async function endOf(execution: Execution, caller: ExecuteOptions["caller"]): Promise<Execution> {
    const told = runner.asTold(execution);
    if (hasEnded(told)) return told;
    return (
      runner.endOf(execution.handle) ?? wait(execution, hasEnded, Number.POSITIVE_INFINITY, caller.gone())
    );
  }

  const wait: Engine["waitFor"] = (execution, until, wait_s, gone) =>
    waitFor(store, execution, until, { wait_s, signals: [gone, stopping.signal] });

  async function find(id: string): Promise<Execution> {
    const execution = await store.find(id);
    if (execution === undefined) throw new ControlError("task_not_found", "Task not found");
    return hasEnded(execution) ? execution : runner.asTold(execution);
  }

  async function findIn(workflow_id: string, id: string): Promise<Execution | undefined> {
    const isMeant = (execution: Execution) =>
      execution.workflow_id === workflow_id && (execution.handle === id || execution.task_id === id);
    // A store knows of a raw task_id only the newest execution, which may be another workflow's.
    const running = runner.going().findLast(isMeant);
    const execution = (running && (await store.find(running.handle))) ?? (await store.find(id));
    return execution === undefined || !isMeant(execution) ? undefined : runner.asTold(execution);
  }

  async function fail(handle: string, error: string, retryable: boolean): Promise<Execution | undefined> {
    const running = await store.find(handle);
    const folder_bytes = running === undefined ? 0 : await measureFolder(running.folder, running, parts);
    const ended_at = Math.max(now(), running?.created_at ?? 0);
    const end = { status: "failed", error, retryable, folder_bytes, ended_at } as const;
    const ended = await store.update(handle, end);
    runner.abort(handle, new ControlError("aborted", error));
    return ended;
  }

  async function cancel(id: string): Promise<{ execution: Execution; cancelled: boolean }> {
    const execution = await find(id);
    const ended = hasEnded(execution) ? undefined : await fail(execution.handle, "Cancelled", false);
    if (ended !== undefined) return { execution: ended, cancelled: true };
    return { execution: await find(execution.handle), cancelled: false };
  }

  async function prune(): Promise<void> {
    const removed: string[] = [];
    for (const dropped of await store.prune(now())) {
      const { folder } = dropped;
      for (const other of parts.planes) other.forget(dropped);
      if (folder === undefined) continue;
      try {
        await plane.removeTaskFolder(folder);
        removed.push(folder);
      } catch (error) {
        log.error(
          { ...idsOf(dropped), err: error, folder },
          "the folder of an old task could not be removed; remove it by hand",
        );
      }
    }
    await Promise.all(removed.map((folder) => store.folders?.forget(folder)));
  }

  const hasQuota = Number.isFinite(parts.max_payload_bytes);
  let pruning: NodeJS.Timeout | undefined;
  let removing: Promise<void> | undefined;
  /** What has just ended may be too much for the quota, and others older than it can go. */
  function pruneSoon({ folder_bytes }: Execution): void {
    if (folder_bytes === 0 || stopping.signal.aborted) return;
    pruning ??= setTimeout(() => {
      pruning = undefined;
      prune().catch((error: unknown) => log.error({ err: error }, "dropping old tasks failed"));
    }, pruneSoon_ms).unref();
  }

  async function stop(grace_ms: number): Promise<void> {
    stopping.abort();
    clearTimeout(pruning);
    const settled = () => Promise.all([uploads.settled(), runner.settled()]);
    if (!(await settlesWithin(settled(), grace_ms))) {
      uploads.abort(new ControlError("stopping", "The service was stopped before the upload was whole"));
      await settlesWithin(Promise.all(runner.going().map(abandon)), 1000);
      // Also where the store lets them wait.
      for (const { handle } of runner.going()) runner.abort(handle, new ControlError("aborted", stopped));
      await settlesWithin(settled(), 1000);
    }
    runner.close();
    await settlesWithin(Promise.allSettled([runner.settled(), removing]), 1000);
  }

  async function abandon(execution: Execution): Promise<void> {
    await fail(execution.handle, stopped, true).catch((error: unknown) => {
      log.error({ ...idsOf(execution), err: error }, "the store does not take that a task was stopped");
    });
  }

  return {
    execute,
    createBodyRoom: slots.createBodyRoom,
    keep,
    find,
    findIn,
    cancel,
    waitFor: wait,
    stopping: stopping.signal,
    queue: slots,
    prune,
    removeLeftFolders() {
      removing ??= removeLeftFolders(parts).finally(() => {
        removing = undefined;
      });
      return removing;
    },
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

function unknownMethod(
  method: string,
  { operations, secrets }: Pick<EngineParts, "operations" | "secrets">,
): ControlError {
  const known = [...operations.keys()].join(", ");
  const shown = method.length > 200 ? `${toShown(method, secrets, 200)}...` : method;
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
