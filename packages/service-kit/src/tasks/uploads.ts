import {
  ControlError,
  canonicalJson,
  type DataReference,
  maxIdLength,
  type ValidationIssue,
} from "@aieffect/control-interface";
import {
  type ReceiveCall,
  type ReceivedUpload,
  type StoredPayload,
  toHttpReference,
} from "@aieffect/data-plane-file";
import { storeUnavailable } from "../stores/store-errors.ts";
import { createHandle } from "./create-handle.ts";
import type { EngineParts } from "./engine.ts";
import { createExecution, type Execution, hasEnded, idsOf } from "./execution.ts";
import { createNotedFolders } from "./noted-folders.ts";
import type { Runner } from "./runner.ts";

/** What a kept upload is called where operations have their names, and where its form names no workflow. */
const method = "upload";
const defaultWorkflow = "uploads";

/** How one upload came in. */
interface KeepOptions {
  idempotency_key?: string | undefined;
  correlation_id?: string | undefined;
}

/** An upload that is kept, and whether it had been kept before under its key (R-IDEM-01). */
interface KeptUpload {
  execution: Execution;
  replayed: boolean;
}

/** Keeps what comes from outside. */
export interface Uploads {
  /**
   * Keeps what `receive` brings as an execution that is complete at once (R-UP-02). If the store does
   * not begin it, its folder is removed (R-UP-04); from then on retention removes both.
   * @throws whatever `receive` throws; ControlError `idempotency_mismatch`, `store_unavailable`, `aborted`
   */
  keep(receive: (call: ReceiveCall) => Promise<ReceivedUpload>, options: KeepOptions): Promise<KeptUpload>;
  /** Resolves when all that is being received now is kept or refused. */
  settled(): Promise<unknown>;
  /** Refuses all that is being received. */
  abort(reason: Error): void;
}

/** What the engine does for uploads as well. */
interface UploadEnds {
  /** The end of an execution that may still run, here or elsewhere; as it is when the service stops. */
  endOf(execution: Execution): Promise<Execution>;
  finish: Runner["finish"];
}

export function createUploads(
  { store, plane, log, dataUrl, now }: EngineParts,
  { endOf, finish }: UploadEnds,
): Uploads {
  const receiving = new Set<Promise<unknown>>();
  const cutOff = new AbortController();

  async function receiveAndKeep(
    receive: (call: ReceiveCall) => Promise<ReceivedUpload>,
    { idempotency_key, correlation_id }: KeepOptions,
  ): Promise<KeptUpload> {
    assertKey(idempotency_key);
    const began = now();
    const handle = createHandle();
    // Keys are scoped to workflow and task (R-IDEM-06): an upload that names no task is the key's own (R-UP-06).
    const task_id = idempotency_key ?? handle;
    const folders = createNotedFolders(handle, { store, plane, log });
    const { plan: beforeFolder, note: onFolder } = folders;
    const call = { workflow_id: defaultWorkflow, task_id, signal: cutOff.signal, beforeFolder, onFolder };
    const received = await receive(call).catch(async (error: unknown) => {
      await folders.forgetRemoved();
      throw error;
    });
    let begins = false;
    try {
      const candidate = toExecution(received);
      const output = toHttpReference(received.stored, dataUrl(handle), { metadata: received.metadata });
      const begun = await store.begin(candidate, idempotency_key);
      if (begun.outcome === "mismatch") throw keyMismatch(idempotency_key);
      if (begun.outcome !== "started") return { execution: await asBefore(begun.execution), replayed: true };
      // Another upload must not get its folder, which goes when this one is dropped.
      begins = true;
      if (!(await folders.keep(received.folder))) throw await giveUp(candidate);
      return { execution: await complete(candidate, received.stored, output), replayed: false };
    } finally {
      if (!begins) await plane.removeTaskFolder(received.folder);
      await folders.forgetRemoved();
    }

    function toExecution(upload: ReceivedUpload): Execution {
      const { workflow_id, folder } = upload;
      const request = { workflow_id, task_id: upload.task_id, method };
      // Without a key no two uploads are the same one.
      const fingerprint = idempotency_key === undefined ? handle : fingerprintOf(upload);
      const execution = createExecution(
        handle,
        request,
        "sequential",
        fingerprint,
        began,
        idempotency_key,
        correlation_id,
      );
      // Known from the beginning, so that retention removes it also where the process dies now.
      return { ...execution, folder };
    }
  }

  /** This process stood still for so long that others took it for dead, and its folder away. */
  async function giveUp(candidate: Execution): Promise<ControlError> {
    const error = "The service stood still while the upload came, so that it was given up; send it again";
    await finish(candidate, { status: "failed", error, retryable: true });
    return storeUnavailable(error);
  }

  async function complete(
    candidate: Execution,
    { path, format, size_bytes }: StoredPayload,
    output: DataReference,
  ): Promise<Execution> {
    const { handle, folder, created_at } = candidate;
    const payload = { path, format, size_bytes };
    const end = { status: "complete", output, payload, folder, folder_bytes: size_bytes } as const;
    const execution = await finish(candidate, end);
    const { status, error, retryable, ended_at } = execution;
    if (status !== "complete") {
      const message = `The upload was not kept: ${error}`;
      throw retryable ? storeUnavailable(message) : new ControlError("aborted", message);
    }
    const duration_ms = (ended_at ?? created_at) - created_at;
    log.info({ ...idsOf(execution), status, duration_ms, size_bytes, handle }, "upload kept");
    return execution;
  }

  /** What the key led to before; it may be on its way to its end in another process. */
  async function asBefore(execution: Execution): Promise<Execution> {
    const ended = await endOf(execution);
    if (ended.status === "complete") return ended;
    if (!hasEnded(ended)) {
      const message =
        "The service is stopping, and the upload under this Idempotency-Key is on its way still";
      throw new ControlError("stopping", message, { retry_after_s: 5 });
    }
    const message = `Expected the upload under this Idempotency-Key to be kept, found that it was not: ${ended.error}; send it with a new key`;
    throw new ControlError("internal", message);
  }

  return {
    keep(receive, options) {
      const keeping = receiveAndKeep(receive, options);
      const settled = keeping
        .catch(() => {})
        .finally(() => {
          receiving.delete(settled);
        });
      receiving.add(settled);
      return keeping;
    },
    settled: () => Promise.all(receiving),
    abort: (reason) => cutOff.abort(reason),
  };
}

/** Equal for equal uploads of one task (R-IDEM-07, R-UP-06). */
function fingerprintOf({ stored: { checksum, format }, metadata }: ReceivedUpload): string {
  return canonicalJson({ method, checksum, format, metadata });
}

function assertKey(key: string | undefined): void {
  if (key === undefined || key.length <= maxIdLength) return;
  const msg = `Expected an Idempotency-Key of at most ${maxIdLength} characters, found ${key.length}`;
  const detail: ValidationIssue[] = [{ loc: ["header", "idempotency-key"], msg, type: "string_too_long" }];
  throw new ControlError("invalid_request", msg, { detail });
}

function keyMismatch(key: string | undefined): ControlError {
  return new ControlError(
    "idempotency_mismatch",
    `The Idempotency-Key "${key}" was used with another upload; send the same file and fields, or a new key (R-IDEM-02)`,
  );
}
