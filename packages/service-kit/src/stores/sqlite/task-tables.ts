import { createExecution, type Execution, hasEnded } from "../../tasks/execution.ts";
import { Refusal } from "./database-file.ts";
import type { Database } from "./load-libsql.ts";

/** Counts the changes of {@link taskSchema}. */
export const taskSchemaVersion = 1;

/** An execution is one JSON text; beside it stands what it is found by. Ids are kept as JSON, which any text survives. */
export const taskSchema = `
  CREATE TABLE tasks (
    serial INTEGER PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE,
    workflow_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    ended_at INTEGER,
    state_bytes INTEGER NOT NULL,
    folder_bytes INTEGER NOT NULL,
    execution TEXT NOT NULL
  );
  CREATE INDEX tasks_by_name ON tasks (task_id);
  CREATE INDEX tasks_running ON tasks (workflow_id, task_id) WHERE ended_at IS NULL;
  CREATE INDEX tasks_ended ON tasks (ended_at) WHERE ended_at IS NOT NULL;
  CREATE INDEX tasks_large ON tasks (ended_at) WHERE ended_at IS NOT NULL AND state_bytes > 1024;
  CREATE INDEX tasks_with_files ON tasks (ended_at) WHERE ended_at IS NOT NULL AND folder_bytes > 0;
  CREATE TABLE keys (
    workflow_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    key TEXT NOT NULL,
    serial INTEGER NOT NULL,
    PRIMARY KEY (workflow_id, task_id, key)
  ) WITHOUT ROWID;
  CREATE TABLE probe (content BLOB);
`;

/** What all executions that have ended come to. */
export interface Totals {
  ended: number;
  state_bytes: number;
  folder_bytes: number;
}

/** An execution that has ended, and what dropping it would give. */
export interface EndedRow extends Totals {
  serial: number;
  execution: Execution;
}

/** The questions and changes that the store needs; every one is found by an index. */
export interface TaskTables {
  insert(execution: Execution): void;
  /** Keeps what has become of an execution. @returns its state_bytes */
  replace(execution: Execution): number;
  addKey(execution: Execution, key: string): void;
  byHandle(handle: string): Execution | undefined;
  /** The newest of that name. */
  byTaskId(task_id: string): Execution | undefined;
  byKey(workflow_id: string, task_id: string, key: string): Execution | undefined;
  /** Oldest first. */
  runningOf(workflow_id: string, task_id: string): Execution[];
  running(): Execution[];
  /** Of those that ended until then, the one that ended first. */
  firstEnded(which: "any" | "large" | "with files", until: number): EndedRow | undefined;
  drop(row: EndedRow): void;
  totals(): Totals;
  /** Gives the disk back what dropped executions took, as far as it is much; a part of it each time. */
  shrink(): void;
  /** Writes something and takes it away again. */
  probe(): void;
}

/** Pages that are given back at a time. */
const shrinkPages = 1000;

export function createTaskTables(database: Database): TaskTables {
  // Parameters are numbers, texts and null, never anything else: libsql ends the process over a boolean.
  type Value = number | string | null;
  const prepare = (sql: string) => {
    const statement = database.prepare(sql);
    return (...values: Value[]) => void statement.run(values);
  };
  const prepareRow = <Row extends Value[]>(sql: string) => {
    const statement = database.prepare(sql).raw();
    return (...values: Value[]) => statement.get(values) as Row | undefined;
  };
  const prepareOne = (sql: string) => {
    const ask = prepareRow<[string]>(sql);
    return (...names: string[]) => {
      const row = ask(...names.map(toKey));
      return row && toExecution(row);
    };
  };
  const prepareRows = (sql: string) => {
    const statement = database.prepare(sql).raw();
    return (...values: Value[]) => statement.all(values) as [string][];
  };

  const insert = prepare(
    "INSERT INTO tasks (handle, workflow_id, task_id, ended_at, state_bytes, folder_bytes, execution) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const replace = prepare(
    "UPDATE tasks SET ended_at = ?, state_bytes = ?, folder_bytes = ?, execution = ? WHERE handle = ?",
  );
  const addKey = prepare(
    "INSERT INTO keys (workflow_id, task_id, key, serial) SELECT workflow_id, task_id, ?, serial FROM tasks WHERE handle = ?",
  );
  const byHandle = prepareOne("SELECT execution FROM tasks WHERE handle = ?");
  const byTaskId = prepareOne("SELECT execution FROM tasks WHERE task_id = ? ORDER BY serial DESC LIMIT 1");
  const byKey = prepareOne(
    "SELECT execution FROM keys JOIN tasks USING (serial) WHERE keys.workflow_id = ? AND keys.task_id = ? AND key = ?",
  );
  const runningOf = prepareRows(
    "SELECT execution FROM tasks WHERE ended_at IS NULL AND workflow_id = ? AND task_id = ? ORDER BY serial",
  );
  const running = prepareRows("SELECT execution FROM tasks INDEXED BY tasks_running WHERE ended_at IS NULL");
  type Ended = [number, number, number, string];
  const ended = "SELECT serial, state_bytes, folder_bytes, execution FROM tasks WHERE ended_at <= ?";
  const firstEnded = {
    any: prepareRow<Ended>(`${ended} ORDER BY ended_at LIMIT 1`),
    large: prepareRow<Ended>(`${ended} AND state_bytes > 1024 ORDER BY ended_at LIMIT 1`),
    "with files": prepareRow<Ended>(`${ended} AND folder_bytes > 0 ORDER BY ended_at LIMIT 1`),
  };
  const dropTask = prepare("DELETE FROM tasks WHERE serial = ?");
  const dropKey = prepare("DELETE FROM keys WHERE workflow_id = ? AND task_id = ? AND key = ?");
  const totals = prepareRow<[number, number, number]>(
    "SELECT count(*), coalesce(sum(state_bytes), 0), coalesce(sum(folder_bytes), 0) FROM tasks WHERE ended_at IS NOT NULL",
  );
  const pages = prepareRow<[number]>("PRAGMA page_count");
  const freePages = prepareRow<[number]>("PRAGMA freelist_count");

  return {
    insert(execution) {
      const { handle, workflow_id, task_id, folder_bytes } = execution;
      const text = toText(execution);
      insert(...[handle, workflow_id, task_id].map(toKey), endOf(execution), text.length, folder_bytes, text);
    },
    replace(execution) {
      const text = toText(execution);
      replace(endOf(execution), text.length, execution.folder_bytes, text, toKey(execution.handle));
      return text.length;
    },
    addKey: ({ handle }, key) => addKey(toKey(key), toKey(handle)),
    byHandle,
    byTaskId,
    byKey,
    runningOf: (...names) => runningOf(...names.map(toKey)).map(toExecution),
    running: () => running().map(toExecution),
    firstEnded(which, until) {
      const row = firstEnded[which](until);
      if (row === undefined) return undefined;
      const [serial, state_bytes, folder_bytes, text] = row;
      return { serial, state_bytes, folder_bytes, ended: 1, execution: toExecution([text]) };
    },
    drop({ serial, execution: { workflow_id, task_id, idempotency_keys } }) {
      for (const key of idempotency_keys) dropKey(...[workflow_id, task_id, key].map(toKey));
      dropTask(serial);
    },
    totals() {
      const [count = 0, state_bytes = 0, folder_bytes = 0] = totals() ?? [];
      return { ended: count, state_bytes, folder_bytes };
    },
    shrink() {
      const [free = 0] = freePages() ?? [];
      const [all = 0] = pages() ?? [];
      if (free < shrinkPages || free < all / 4) return;
      database.exec(`PRAGMA incremental_vacuum(${shrinkPages})`);
    },
    // Larger than a page, so that it needs room and not only a place in a page that is there.
    probe: () => void database.exec("INSERT INTO probe VALUES (zeroblob(8192)); DELETE FROM probe"),
  };
}

/** Texts that SQLite would cut at a NUL, or that are no UTF-16 in order, are still told apart. */
function toKey(text: string): string {
  return JSON.stringify(text);
}

/** The column that says whether it runs. */
function endOf(execution: Execution): number | null {
  return hasEnded(execution) ? (execution.ended_at ?? execution.created_at) : null;
}

function toText(execution: Execution): string {
  try {
    return JSON.stringify(execution);
  } catch (reason) {
    throw new Refusal(reason);
  }
}

/** Fields that JSON leaves out are there again, in their places. */
function toExecution([text]: readonly [string]): Execution {
  const kept: Execution = JSON.parse(text);
  return Object.assign(createExecution(kept.handle, kept, kept.style, "", 0, undefined), kept);
}
