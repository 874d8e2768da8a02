import { resolve } from "node:path";
import { applyChange, type Execution, type ExecutionChange, hasEnded } from "../tasks/execution.ts";
import { bytesIn } from "./bytes-in.ts";
import { markOf } from "./folder-mark.ts";
import { createDatabaseFile, Refusal } from "./sqlite/database-file.ts";
import { createFolderFiles } from "./sqlite/folder-files.ts";
import { createGroupCommit } from "./sqlite/group-commit.ts";
import {
  createTaskTables,
  type EndedRow,
  type TaskTables,
  type Totals,
  taskSchema,
  taskSchemaVersion,
} from "./sqlite/task-tables.ts";
import { storeUnavailable } from "./store-errors.ts";
import {
  decideBegin,
  neverDroppedWithin_ms,
  type Retention,
  resolveRetention,
  type TaskStore,
} from "./task-store.ts";

/** Where {@link createSqliteStore} keeps its file, and how much it keeps. */
export interface SqliteStoreOptions {
  /** The folder of `tasks.db`, on a disk of this machine; made where it is missing. One service has it for itself. */
  dir: string;
  /** How long ended tasks are kept. */
  retention?: Retention;
  /** Largest size of the file in bytes, about; more is refused with `storage_full`. @default no limit */
  max_file_bytes?: number;
  /** The clock, epoch ms. @default Date.now */
  now?: () => number;
}

type Listener = (execution: Execution) => void;

/** An update that waits for its transaction: more can be added to it. */
interface Waiting {
  change: ExecutionChange;
  done: Promise<Execution | undefined>;
}

const lost: ExecutionChange = {
  status: "failed",
  error: "The service stopped while this task was running; its work is lost. Send the task again.",
  retryable: true,
};

/** So many are dropped in one transaction, lest the event loop stand still. */
const dropAtOnce = 200;

/**
 * Keeps executions in a file, so that they survive a kill or a loss of power: what a call of the
 * store has resolved with is on the disk. From its first use on the file belongs to this process;
 * what ran when its last process died is `failed` and `retryable` from then on (R-LOST-01). Needs
 * the package libsql.
 *
 * @throws TypeError when libsql is not installed, or an option makes no sense
 */
export function createSqliteStore(options: SqliteStoreOptions): TaskStore {
  const { dir, max_file_bytes, now = Date.now } = options;
  if (typeof dir !== "string" || dir.trim() === "") {
    throw new TypeError(
      `Expected a folder for the file of tasks, as in TASK_STORE=sqlite:./state, got "${dir}"`,
    );
  }
  if (max_file_bytes !== undefined && !(max_file_bytes > 0)) {
    throw new TypeError(`Expected max_file_bytes to be above 0, got ${max_file_bytes}`);
  }
  const retention = resolveRetention(options.retention);
  const file = createDatabaseFile({
    dir: resolve(dir),
    schema: taskSchema,
    version: taskSchemaVersion,
    max_bytes: max_file_bytes,
  });
  const listeners = new Map<string, Set<Listener>>();
  const waiting = new Map<string, Waiting>();
  const folderFiles = createFolderFiles(resolve(dir));
  /** Folders whose notes are this process's. */
  const ownFolders = new Set<string>();
  let opened: TaskTables | undefined;
  let closed = false;
  /** A transaction failed, and none is known to have written since: one that succeeds may have had nothing to write. */
  let failing = false;
  let totals: Totals = { ended: 0, state_bytes: 0, folder_bytes: 0 };

  const commit = createGroupCommit((work) => {
    // From here on it is too late to add to what waits.
    waiting.clear();
    const before = failing;
    failing = true;
    file.transaction(work);
    failing = before;
  });

  function tables(): TaskTables {
    if (opened !== undefined) return opened;
    if (closed) throw storeUnavailable("Expected the store to be open, found it closed; create a new one");
    file.open();
    const made = file.read(() => createTaskTables(file.database()));
    file.transaction(() => {
      for (const execution of made.running()) {
        applyChange(execution, { ...lost, folder_bytes: bytesIn(execution.folder), ended_at: now() });
        made.replace(execution);
      }
    });
    totals = file.read(made.totals);
    opened = made;
    return opened;
  }

  async function write<T>(work: (tables: TaskTables) => T, committed?: (value: T) => void): Promise<T> {
    const using = tables();
    return commit.write(() => work(using), committed);
  }

  async function update(handle: string, given: ExecutionChange): Promise<Execution | undefined> {
    const { byHandle, replace } = tables();
    const isEnd = given.status !== undefined;
    const before = waiting.get(handle);
    if (before !== undefined && !isEnd) {
      add(before.change, given);
      return before.done;
    }
    const change = { ...given };
    let state_bytes = 0;
    const done = commit.write(
      () => {
        const execution = byHandle(handle);
        if (execution === undefined || !applyChange(execution, change)) return undefined;
        state_bytes = replace(execution);
        return execution;
      },
      (execution) => execution !== undefined && changed(execution, state_bytes),
    );
    // What comes after an end must not happen before it.
    if (isEnd) waiting.delete(handle);
    else waiting.set(handle, { change, done });
    return done;
  }

  function changed(execution: Execution, state_bytes: number): void {
    if (hasEnded(execution)) count({ ended: 1, state_bytes, folder_bytes: execution.folder_bytes }, 1);
    const heard = listeners.get(execution.handle);
    if (heard !== undefined) for (const listener of heard) listener(execution);
  }

  function count({ ended, state_bytes, folder_bytes }: Totals, sign: 1 | -1): void {
    totals.ended += sign * ended;
    totals.state_bytes += sign * state_bytes;
    totals.folder_bytes += sign * folder_bytes;
  }

  /** Nobody would ever remove the folder when the process dies before that is done. */
  function noteDropped(folder: string, handle: string): void {
    const mark = markOf(folder);
    if (mark === undefined) return;
    try {
      folderFiles.write({ folder, handle, mark });
      ownFolders.add(folder);
    } catch {
      // A full disk must not keep what takes its room.
    }
  }

  /** Drops what retention allows, the oldest first, and not too many at once. */
  function dropSome({ firstEnded, drop }: TaskTables, at: number): EndedRow[] {
    const until = at - neverDroppedWithin_ms;
    const tooOld = Math.min(until, at - retention.max_age_s * 1000 - 1);
    const left = { ...totals };
    const next = () =>
      firstEnded("any", left.ended > retention.max_tasks ? until : tooOld) ??
      (left.state_bytes > retention.max_bytes ? firstEnded("large", until) : undefined) ??
      (left.folder_bytes > retention.max_payload_bytes ? firstEnded("with files", until) : undefined);
    const rows: EndedRow[] = [];
    while (rows.length < dropAtOnce) {
      const row = next();
      if (row === undefined) break;
      drop(row);
      const { folder, handle } = row.execution;
      if (folder !== undefined) noteDropped(folder, handle);
      rows.push(row);
      left.ended -= 1;
      left.state_bytes -= row.state_bytes;
      left.folder_bytes -= row.folder_bytes;
    }
    return rows;
  }

  return {
    async ready() {
      tables();
      file.assertThere();
      if (!failing) return;
      await write(({ probe }) => probe()).catch((error: Error) => {
        throw storeUnavailable(error.message, error);
      });
      failing = false;
    },
    begin: (candidate, idempotency_key, admit) =>
      write(({ runningOf, byKey, insert, replace, addKey }) => {
        const { workflow_id, task_id } = candidate;
        // Of all executions of that name only these can decide.
        const known = runningOf(workflow_id, task_id);
        const keyed = idempotency_key && byKey(workflow_id, task_id, idempotency_key);
        const begun = decideBegin(keyed ? [keyed, ...known] : known, candidate, idempotency_key);
        const { outcome, execution } = begun;
        if (outcome === "started") {
          orRefuse(() => admit?.());
          insert(candidate);
          for (const key of candidate.idempotency_keys) addKey(candidate, key);
        }
        if (outcome === "attached" && idempotency_key !== undefined) {
          execution.idempotency_keys = [...execution.idempotency_keys, idempotency_key];
          replace(execution);
          addKey(execution, idempotency_key);
        }
        return begun;
      }),
    async find(id) {
      const { byHandle, byTaskId } = tables();
      return file.read(() => byHandle(id) ?? byTaskId(id));
    },
    update,
    answered: (handle, first_answer) =>
      write(({ byHandle, replace }) => {
        const execution = byHandle(handle);
        if (execution === undefined || execution.first_answer !== undefined) return;
        execution.first_answer = first_answer;
        replace(execution);
      }),
    subscribe(handle, listener) {
      const heard = listeners.get(handle) ?? new Set();
      listeners.set(handle, heard.add(listener));
      return () => {
        heard.delete(listener);
        if (heard.size === 0) listeners.delete(handle);
      };
    },
    folders: {
      async note(noted) {
        // Before it is open, the folder is another process's.
        tables();
        folderFiles.write(noted);
        ownFolders.add(noted.folder);
      },
      async forget(folder) {
        if (!ownFolders.has(folder)) return false;
        folderFiles.remove(folder);
        ownFolders.delete(folder);
        return true;
      },
      async takeOver() {
        tables();
        // The file belongs to this process alone: whoever else noted anything is dead.
        const left = folderFiles.all().filter(({ folder }) => !ownFolders.has(folder));
        for (const { folder } of left) ownFolders.add(folder);
        return left;
      },
    },
    async prune(at) {
      const dropped: Execution[] = [];
      try {
        for (let full = true; full; ) {
          const rows = await write(
            (using) => dropSome(using, at),
            (done) => {
              for (const row of done) count(row, -1);
            },
          );
          for (const { execution } of rows) dropped.push(execution);
          full = rows.length === dropAtOnce;
        }
        await write(({ shrink }) => shrink());
      } catch (error) {
        // What is dropped has to be given back, or its files stay for ever; a fault that lasts shows again.
        if (dropped.length === 0) throw error;
      }
      return dropped;
    },
    async close() {
      if (closed) return;
      commit.flush();
      closed = true;
      opened = undefined;
      listeners.clear();
      file.close();
    },
  };
}

/** The sum of two changes of an execution that goes on: progress never falls (R-STAT-02). */
function add(change: ExecutionChange, next: ExecutionChange): void {
  const progress = Math.max(change.progress ?? 0, next.progress ?? 0);
  Object.assign(change, next, (change.progress ?? next.progress) !== undefined && { progress });
}

/** Lets what is thrown reach its own caller alone. */
function orRefuse(work: () => void): void {
  try {
    work();
  } catch (reason) {
    throw new Refusal(reason);
  }
}
