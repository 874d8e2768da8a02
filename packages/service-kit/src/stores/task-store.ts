import { assertKeys } from "../check-options.ts";
import type { Execution, ExecutionChange } from "../tasks/execution.ts";

/** What came of asking a store to begin an execution (R-IDEM-01 to 04). */
export type Begun =
  /** A new execution; the caller has to run it. */
  | { outcome: "started"; execution: Execution }
  /** One that runs already under the same task with the same body. */
  | { outcome: "attached"; execution: Execution }
  /** One that the key led to before. */
  | { outcome: "replayed"; execution: Execution }
  /** The key led to one with another body. */
  | { outcome: "mismatch"; execution: Execution };

/**
 * Where executions are kept. Small, so that memory, an embedded database and a shared server can
 * each be one file. Only the store changes an execution; one that was given out may be a snapshot
 * or, in memory, the thing itself, so whoever compares notes down what it was before.
 */
export interface TaskStore {
  /**
   * Other processes may change its executions, so that whoever runs one has to listen for its end.
   * @default false
   */
  readonly shared?: boolean;
  /**
   * Resolves when the store can be used; what was left by a process that died has been marked as
   * lost by then (R-LOST-01). May be called again, to ask whether it still can be.
   * @throws ControlError `store_unavailable`
   */
  ready(): Promise<void>;
  /**
   * Decides by the rules of safe retry and keeps the candidate if it is new; atomic. `admit` is
   * called before a new one is kept, and refuses it by throwing.
   */
  begin(candidate: Execution, idempotency_key: string | undefined, admit?: () => void): Promise<Begun>;
  /** By handle, else the newest execution under that raw task_id (R-RUN-03, R-RUN-05). */
  find(id: string): Promise<Execution | undefined>;
  /** Changes a running execution; undefined when it has ended or is not known. Atomic. */
  update(handle: string, change: ExecutionChange): Promise<Execution | undefined>;
  /** Notes what the first caller was told; also after the end. */
  answered(handle: string, first_answer: NonNullable<Execution["first_answer"]>): Promise<void>;
  /**
   * Calls back after every change of an execution, by whatever process, newest state last; a change
   * may be left out when a newer one follows. @returns stops it
   */
  subscribe(handle: string, listener: (execution: Execution) => void): () => void;
  /** Drops what retention allows to drop and gives it back, so that its files can follow. */
  prune(now: number): Promise<Execution[]>;
  /** Folders that no execution has, so that those of a process that dies are removed. @default none are noted */
  readonly folders?: FolderNotes;
  /** Releases what the store holds open. */
  close(): Promise<void>;
}

/** A task's folder that no execution has: not yet, or no longer. */
export interface NotedFolder {
  /** Absolute. */
  folder: string;
  /** The execution that it is for, or was of; the store need not know it. */
  handle: string;
  /** Tells it from another folder that has its name later. */
  mark: string;
}

/** Notes of folders, each of which belongs to one process. */
export interface FolderNotes {
  /** Notes a folder for this process; kept when this resolves. */
  note(noted: NotedFolder): Promise<void>;
  /** Drops a note of this process; false when it has none, because another took it over. */
  forget(folder: string): Promise<boolean>;
  /** Makes the notes of processes that are dead this one's, and gives them. */
  takeOver(): Promise<NotedFolder[]>;
}

/** How long ended executions are kept (R-RUN-09). */
export interface Retention {
  /** Seconds after its end, up to 100 years. @default 86,400 (24 h) */
  max_age_s?: number;
  /** How many ended ones at most. @default 10,000 */
  max_tasks?: number;
  /** How many bytes the state of ended ones may take, about; the largest consumers go first. @default 256 MiB */
  max_bytes?: number;
  /** How many bytes the files of ended ones may take on disk; the oldest go first. @default no limit */
  max_payload_bytes?: number;
}

const longestAge_s = 100 * 365 * 86_400;

/** Retention with its defaults filled in. @throws TypeError */
export function resolveRetention(given: Retention = {}): Required<Retention> {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`Expected retention to be an object, as in { max_age_s: 3600 }, got ${given}`);
  }
  assertKeys("retention", given, ["max_age_s", "max_tasks", "max_bytes", "max_payload_bytes"]);
  const { max_age_s = 86_400, max_tasks = 10_000, max_bytes = 256 * 2 ** 20 } = given;
  const { max_payload_bytes = Number.POSITIVE_INFINITY } = given;
  const resolved = { max_age_s, max_tasks, max_bytes, max_payload_bytes };
  for (const [name, value] of Object.entries(resolved)) {
    if (typeof value !== "number" || !(value > 0)) {
      throw new TypeError(`Expected retention.${name} to be a number above 0, got ${value}`);
    }
  }
  // It is in URLs and in what a Redis is told, which know no end of time.
  if (max_age_s > longestAge_s) {
    throw new TypeError(
      `Expected retention.max_age_s to be a number above 0 and at most ${longestAge_s} (100 years), got ${max_age_s}`,
    );
  }
  return resolved;
}

/** What ended less than this many ms ago is never dropped (R-RUN-09). */
export const neverDroppedWithin_ms = 60_000;

/** The rules of safe retry over the executions of one workflow and task, newest last. */
export function decideBegin(
  known: readonly Execution[],
  candidate: Execution,
  idempotency_key: string | undefined,
): Begun {
  const keyed =
    idempotency_key === undefined
      ? undefined
      : known.find((execution) => execution.idempotency_keys.includes(idempotency_key));
  if (keyed !== undefined) {
    return {
      outcome: keyed.fingerprint === candidate.fingerprint ? "replayed" : "mismatch",
      execution: keyed,
    };
  }
  const running = known.findLast(
    (execution) => execution.status === "running" && execution.fingerprint === candidate.fingerprint,
  );
  return running === undefined
    ? { outcome: "started", execution: candidate }
    : { outcome: "attached", execution: running };
}
