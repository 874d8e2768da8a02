import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ControlError } from "@aieffect/control-interface";
import { storageFull, storeUnavailable } from "../store-errors.ts";
import { type Database, loadLibsql } from "./load-libsql.ts";
import { holderOf, ownerFileOf, signAsOwner } from "./owner.ts";

/** A database file of ours. From `open` on it belongs to this process alone, until `close` or the end of the process, however it ends. */
export interface DatabaseFile {
  /**
   * Opens the file, or makes it; may be called again after it has thrown.
   * @throws ControlError saying who holds the file, or what is wrong with it and what to do
   */
  open(): void;
  /** For making statements, once it is open; they run inside `read` or a transaction. */
  database(): Database;
  /** Does work that only reads. @throws ControlError */
  read<T>(work: () => T): T;
  /** @throws ControlError when the file is not there any more */
  assertThere(): void;
  /** Does all of the work or, when that throws, nothing of it; it is on the disk when this returns. @throws ControlError, or a {@link Refusal} */
  transaction<T>(work: () => T): T;
  /** Leaves one file that any other process can open. @throws ControlError */
  close(): void;
}

/** Thrown inside a transaction for reasons that have nothing to do with the database; passed on as it is. */
export class Refusal {
  readonly reason: unknown;
  constructor(reason: unknown) {
    this.reason = reason;
  }
}

/** What a file of ours is made of. */
export interface FileOptions {
  /** Its folder; made where it is missing. */
  dir: string;
  /** Statements that make the tables in a new file. */
  schema: string;
  /** Counts the changes of the schema, from 1. */
  version: number;
  /** About; no limit where undefined. */
  max_bytes: number | undefined;
}

/** Marks our files, in the header of SQLite's format: "AIEf". */
const application_id = 0x41494566;
const pageBytes = 4096;

/** `tasks.db` in the folder; nothing is touched before it is opened. @throws TypeError when libsql is not installed */
export function createDatabaseFile({ dir, schema, version, max_bytes }: FileOptions): DatabaseFile {
  const Libsql = loadLibsql();
  const path = join(dir, "tasks.db");
  let connection: Database | undefined;
  let owned = false;

  const database = () => connection as Database;
  const readNumber = (pragma: string) =>
    (database().prepare(`PRAGMA ${pragma}`).raw().get([]) as [number])[0];

  function connect(): Database {
    try {
      mkdirSync(dir, { recursive: true });
      return new Libsql(path);
    } catch (cause) {
      throw unwritable(dir, cause);
    }
  }

  function read<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      throw explain(path, dir, thrown);
    }
  }

  function transaction<T>(work: () => T, kind = "IMMEDIATE"): T {
    const db = database();
    try {
      db.exec(`BEGIN ${kind}`);
      const value = work();
      db.exec("COMMIT");
      return value;
    } catch (thrown) {
      // After some errors, a full disk for one, SQLite has rolled back by itself.
      if (db.inTransaction) db.exec("ROLLBACK");
      throw thrown instanceof Refusal ? thrown : explain(path, dir, thrown);
    }
  }

  function checkOrCreate(): void {
    const found = { application: readNumber("application_id"), version: readNumber("user_version") };
    if (found.application === 0 && readNumber("schema_version") === 0) {
      database().exec(schema);
      database().exec(`PRAGMA application_id = ${application_id}; PRAGMA user_version = ${version}`);
    } else if (found.application !== application_id) {
      throw storeUnavailable(
        `Expected ${path} to be a store of tasks, found a database of something else; choose another DIR for TASK_STORE=sqlite:DIR`,
      );
    } else if (found.version !== version) {
      throw storeUnavailable(
        `Expected ${path} to have schema ${version}, found schema ${found.version}, which another version of the kit wrote; use that version, or choose another DIR for TASK_STORE=sqlite:DIR`,
      );
    }
  }

  return {
    database,
    read,
    assertThere() {
      if (!existsSync(path)) throw removed(path);
    },
    transaction,
    open() {
      // Kept when the rest fails, because what it has locked by then would stay locked without it.
      connection ??= connect();
      const db = connection;
      // With one process a lock on the file is enough, and that goes when the process goes.
      read(() => db.exec("PRAGMA locking_mode = EXCLUSIVE"));
      // Has to be said before the first table is made, and does nothing after that.
      read(() => db.exec("PRAGMA auto_vacuum = INCREMENTAL"));
      transaction(checkOrCreate, "EXCLUSIVE");
      read(() => {
        db.exec("PRAGMA journal_mode = WAL");
        db.exec("PRAGMA synchronous = FULL");
        const max_pages = Math.ceil((max_bytes ?? 0) / pageBytes);
        if (max_pages > 0) db.exec(`PRAGMA max_page_count = ${max_pages}`);
      });
      owned = true;
      signAsOwner(dir);
    },
    close() {
      const db = connection;
      connection = undefined;
      if (db === undefined) return;
      try {
        if (owned) read(() => release(db));
      } finally {
        db.close();
      }
      if (owned) rmSync(ownerFileOf(dir), { force: true });
      owned = false;
    },
  };
}

/**
 * Gives the lock back. A connection lives as long as its statements, which only the garbage collector
 * ends, and in WAL mode the lock lives as long as the connection; out of WAL mode it need not.
 */
function release(database: Database): void {
  database.exec("PRAGMA journal_mode = DELETE");
  database.exec("PRAGMA locking_mode = NORMAL");
  database.exec("SELECT count(*) FROM sqlite_schema");
}

/** What an error of the database means for who runs the service. */
function explain(path: string, dir: string, thrown: unknown): unknown {
  const { code = "", name } = thrown as { code?: string; name?: string };
  if (name === "ControlError") return thrown;
  const said = messageOf(thrown);
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return storeUnavailable(
      `Expected ${path} to be free, but ${holderOf(dir)} has it open; give each service a DIR of its own (TASK_STORE=sqlite:DIR), and replicas that share their tasks TASK_STORE=redis://host:port`,
      thrown,
    );
  }
  if (code.startsWith("SQLITE_FULL")) {
    return storageFull(
      `Expected room in ${path}, found: ${said}; make room on its disk, or let retention keep less`,
      thrown,
    );
  }
  if (code.startsWith("SQLITE_NOTADB") || code.startsWith("SQLITE_CORRUPT")) {
    return storeUnavailable(
      `Expected ${path} to be a store of tasks, found a damaged file: ${said}; stop the service and put a backup in its place, or move it away to begin with an empty one`,
      thrown,
    );
  }
  if (code.startsWith("SQLITE_READONLY_DBMOVED")) return removed(path, thrown);
  if (/^SQLITE_(READONLY|CANTOPEN|PERM|AUTH)/.test(code)) return unwritable(dir, thrown);
  return storeUnavailable(`Expected to read and write ${path}, found: ${said}; look at its disk`, thrown);
}

function removed(path: string, cause?: unknown): ControlError {
  return storeUnavailable(
    `Expected ${path} to be there, found it removed or moved; what the service keeps from now on ends with its process, so restart it`,
    cause,
  );
}

function unwritable(dir: string, cause: unknown): ControlError {
  return storeUnavailable(
    `Expected ${dir} to be a folder in which the service can write, found: ${messageOf(cause)}; correct that, or choose another DIR for TASK_STORE=sqlite:DIR`,
    cause,
  );
}

function messageOf(thrown: unknown): string {
  const { message, code } = thrown as { message?: string; code?: string };
  return [message ?? String(thrown), code].filter(Boolean).join(", ");
}
