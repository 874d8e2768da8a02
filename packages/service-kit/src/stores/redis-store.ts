import { randomBytes } from "node:crypto";
import type { ControlError } from "@aieffect/control-interface";
import { applyChange, type Execution, type ExecutionChange, hasEnded } from "../tasks/execution.ts";
import { bytesIn } from "./bytes-in.ts";
import { createRedisConnection } from "./redis/connection.ts";
import { type Current, currentFields, nextVersion, toCurrent } from "./redis/current.ts";
import { createFeed } from "./redis/feed.ts";
import { createFolderNotes } from "./redis/folder-notes.ts";
import { createKeys } from "./redis/keys.ts";
import { createLease } from "./redis/lease.ts";
import { createOneByOne, type Write } from "./redis/one-by-one.ts";
import { dropEnded, sizesOf } from "./redis/retention.ts";
import { readRedisUrl } from "./redis/url.ts";
import { storeUnavailable } from "./store-errors.ts";
import {
  decideBegin,
  neverDroppedWithin_ms,
  type Retention,
  resolveRetention,
  type TaskStore,
} from "./task-store.ts";

/** Where and how {@link createRedisStore} keeps tasks. */
export interface RedisStoreOptions {
  /**
   * `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS. A `?prefix=NAME` in it is
   * taken instead of the namespace.
   */
  url: string;
  /** Distinguishes services that share a Redis; the same in every replica of one service. */
  namespace: string;
  /** How long ended tasks are kept (R-RUN-09). */
  retention?: Retention | undefined;
  /**
   * The tasks of a replica that died are lost within so many ms (R-LOST-02). One that stands still
   * for three quarters of it counts as dead. @default 15,000
   */
  lease_ms?: number;
  /** So long a call waits for a Redis that is away before it fails with `store_unavailable`, in ms. @default 10,000, because an orchestrator allows 30 s (R-READ-11) */
  patience_ms?: number;
  /** The clock, epoch ms. @default Date.now */
  now?: () => number;
  /** Told of problems that no caller hears of, as when Redis is away; the same one at most every 30 s. @default nobody */
  onProblem?: (error: Error) => void;
}

/** How often something is tried anew when others come in between. */
const maxTries = 50;
/** What has ended goes by itself so long after its time, should no replica be left to drop it. */
const safety_ms = 7 * 86_400_000;
/** So long a store that was ready once, or that closes, waits for a Redis that is away. */
const shortly_ms = 1000;
/** How many rounds of the lease a begin is looked for that was given up. */
const doubtRounds = 3;

const lost =
  "The replica that ran this task stopped before the task ended, or could not reach Redis for too long; sending it again makes sense";
const givenUp = "Redis did not answer in time when this task was begun, so it never ran; send it again";

/** What a begin has read. */
interface Seen {
  /** The handle that runs with the same body, and the one that the Idempotency-Key led to; empty for none. */
  handles: [string, string];
  known: Current[];
}

/**
 * Keeps executions in Redis, so that the replicas of a service share them: any of them answers for
 * any task. Connects at the first use. Needs the package ioredis.
 *
 * @throws TypeError when that is not installed, or the URL makes no sense
 */
export function createRedisStore(options: RedisStoreOptions): TaskStore {
  const { lease_ms = 15_000, patience_ms = 10_000, now = Date.now, onProblem = () => {} } = options;
  for (const [name, value] of Object.entries({ lease_ms, patience_ms })) {
    if (!(value > 0)) throw new TypeError(`Expected ${name} to be above 0, got ${value}`);
  }
  const address = readRedisUrl(options.url);
  const retention = resolveRetention(options.retention);
  const expire_ms = Math.max(retention.max_age_s * 1000, neverDroppedWithin_ms) + safety_ms;
  const keys = createKeys(address.prefix ?? options.namespace);
  const replica = randomBytes(9).toString("base64url");
  const connection = createRedisConnection(options.url, address, {
    patience_ms,
    // Who comes back later than others after an outage must do so before they take it for dead.
    retry_ms: Math.min(1000, lease_ms / 6),
    onProblem,
  });
  const { send } = connection;
  const feed = createFeed(connection, keys.changes, read);
  const change = createOneByOne(write);
  const lease = createLease({
    connection,
    keys,
    replica,
    lease_ms,
    lose,
    onLapse: feed.markStale,
    async onTick() {
      feed.check();
      await feed.catchUp();
      await clearDoubts();
    },
  });

  const folders = createFolderNotes({ connection, keys, replica, lease });

  /** What runs here, as it was last written; undefined where that is in doubt. */
  const own = new Map<string, Current | undefined>();
  /** Handles of begins that were given up without knowing whether Redis carried them out; rounds left. */
  const doubts = new Map<string, number>();
  let wasReady = false;
  let closed: Promise<void> | undefined;

  async function read(handle: string): Promise<Current | undefined> {
    return toCurrent(await send((redis) => redis.hmget(keys.execution(handle), ...currentFields)));
  }

  const begin: TaskStore["begin"] = async (candidate, idempotency_key, admit) => {
    const { workflow_id, task_id, fingerprint, handle } = candidate;
    const indexes = [keys.runningAs(workflow_id, task_id, fingerprint)];
    if (idempotency_key !== undefined) {
      indexes.push(keys.idempotencyKey(workflow_id, task_id, idempotency_key));
    }
    // Mostly nothing is known: that is tried first, and what is known is read when it was wrong.
    let seen: Seen = { handles: ["", ""], known: [] };
    for (let attempt = 0; attempt < maxTries; attempt++) {
      if (attempt > 0) {
        await jitter(attempt);
        seen = await look(indexes);
      }
      const known = seen.known.map(({ execution }) => execution);
      // An earlier try, whose reply was lost, may have kept it.
      if (known.some((execution) => execution.handle === handle)) {
        return { outcome: "started", execution: candidate };
      }
      const begun = decideBegin(known, candidate, idempotency_key);
      if (begun.outcome === "started") {
        try {
          admit?.();
        } catch (refusal) {
          if (attempt > 0) throw refusal;
          // Only what is new needs room, and whether it is new was not looked at yet.
          continue;
        }
        if (await keep(candidate, indexes, seen.handles)) return begun;
      } else if (begun.outcome === "attached" && idempotency_key !== undefined) {
        const current = seen.known.find(({ execution }) => execution === begun.execution) as Current;
        if (await attach(current, idempotency_key, seen.handles[1])) return begun;
      } else {
        return begun;
      }
    }
    throw tooContended(handle);
  };

  async function look(indexes: readonly string[]): Promise<Seen> {
    const [running, keyed] = await send((redis) => redis.mget(...indexes));
    const handles: [string, string] = [running ?? "", keyed ?? ""];
    const known = await Promise.all([...new Set(handles)].filter((handle) => handle !== "").map(read));
    return { handles, known: known.filter((current) => current !== undefined) };
  }

  /** Keeps a new execution, unless the indexes lead elsewhere than they did. */
  async function keep(
    candidate: Execution,
    [runningAs = "", ...keyed]: readonly string[],
    handles: Seen["handles"],
  ): Promise<boolean> {
    const { handle, task_id } = candidate;
    const version = nextVersion(0, replica);
    const names = [
      keys.execution(handle),
      keys.rawId(task_id),
      runningAs,
      keys.runningOn(replica),
      keys.replicas,
      keys.lease(replica),
      keys.serial,
      ...keyed,
    ];
    const values = [version, JSON.stringify(candidate), handle, replica, lease.stands_ms, ...handles];
    let sent = false;
    // From the moment it is kept, others can find it, and cancel it.
    feed.expect(handle);
    try {
      const kept = await send((redis) => {
        sent = true;
        return redis.taskBegin(names.length, ...names, ...values);
      });
      if (kept === 2) lease.lapsed();
      if (kept === 0) feed.release(handle);
      else own.set(handle, { execution: { ...candidate }, version, number: 1, replica });
      return kept !== 0;
    } catch (error) {
      feed.release(handle);
      if (sent) doubts.set(handle, doubtRounds);
      throw error;
    }
  }

  /** Notes a further key of an execution, unless it was changed, or the key leads elsewhere than it did. */
  async function attach(
    { execution, version, number }: Current,
    idempotency_key: string,
    keyedHandle: string,
  ): Promise<boolean> {
    const { handle, workflow_id, task_id } = execution;
    const idempotency_keys = [...execution.idempotency_keys, idempotency_key];
    const names = [keys.execution(handle), keys.idempotencyKey(workflow_id, task_id, idempotency_key)];
    const json = JSON.stringify({ ...execution, idempotency_keys });
    const values = [version, nextVersion(number, replica), json, handle, keyedHandle];
    const done = await send((redis) => redis.taskAttach(names.length, ...names, ...values));
    if (done === 1) execution.idempotency_keys = idempotency_keys;
    return done === 1;
  }

  async function write(...[handle, changes, onlyIfDead]: Parameters<Write>): ReturnType<Write> {
    const tooLate = changes.map(() => undefined);
    try {
      for (let attempt = 0; attempt < maxTries; attempt++) {
        await jitter(attempt);
        const current = (attempt === 0 ? own.get(handle) : undefined) ?? (await read(handle));
        if (current === undefined || hasEnded(current.execution)) {
          forgetOwn(handle);
          return tooLate;
        }
        const execution = { ...current.execution };
        const taken = changes.map((one) => applyChange(execution, one));
        const number = current.number + 1;
        const version = nextVersion(current.number, replica);
        const next: Current = { execution, version, number, replica: current.replica };
        const done = await commit(current, next, onlyIfDead);
        if (done === -1) return tooLate;
        if (done === 0) continue;
        feed.tell(handle, next);
        if (hasEnded(execution)) forgetOwn(handle);
        else if (own.has(handle)) own.set(handle, next);
        return taken.map((isTaken) => (isTaken ? execution : undefined));
      }
    } catch (error) {
      // Whether it was written is not known; the next one looks.
      if (own.has(handle)) own.set(handle, undefined);
      throw error;
    }
    throw tooContended(handle);
  }

  function commit(current: Current, next: Current, onlyIfDead: boolean): Promise<number> {
    const { handle, task_id, workflow_id, fingerprint, idempotency_keys } = current.execution;
    const { execution } = next;
    const ends = hasEnded(execution);
    const names = [
      keys.execution(handle),
      keys.runningAs(workflow_id, task_id, fingerprint),
      keys.runningOn(current.replica),
      keys.rawId(task_id),
      keys.ended,
      keys.serial,
      keys.lease(current.replica),
      ...(ends ? idempotency_keys.map((key) => keys.idempotencyKey(workflow_id, task_id, key)) : []),
    ];
    const json = JSON.stringify(execution);
    const end = ends ? [execution.ended_at ?? now(), sizesOf(json, execution), expire_ms] : ["", "", ""];
    const condition = onlyIfDead ? "1" : "";
    const values = [current.version, next.version, json, handle, keys.changes, condition, ...end];
    return send((redis) => redis.taskChange(names.length, ...names, ...values));
  }

  function forgetOwn(handle: string): void {
    if (own.delete(handle)) feed.release(handle);
  }

  function failed(error: string, folder?: string): ExecutionChange {
    return { status: "failed", error, retryable: true, folder_bytes: bytesIn(folder), ended_at: now() };
  }

  async function lose(handle: string, of: string): Promise<void> {
    const folder = (await read(handle))?.execution.folder;
    if ((await change(handle, failed(lost, folder), true)) !== undefined) return;
    const current = await read(handle);
    if (current !== undefined && !hasEnded(current.execution)) return;
    // It does not run, so it must not keep the dead replica from being forgotten.
    await send((redis) => redis.srem(keys.runningOn(of), handle));
  }

  async function clearDoubts(): Promise<void> {
    for (const [handle, rounds] of doubts) {
      const ended = await change(handle, failed(givenUp));
      if (ended !== undefined || rounds <= 1) doubts.delete(handle);
      else doubts.set(handle, rounds - 1);
    }
  }

  async function release(): Promise<void> {
    lease.stop();
    if (connection.wasReachable) {
      connection.hurry(Math.min(shortly_ms, patience_ms));
      try {
        // What has not been ended by now, nobody would ever end.
        const ends = [...own].map(([handle, known]) => change(handle, failed(lost, known?.execution.folder)));
        await Promise.all(ends);
        await lease.leave();
      } catch (error) {
        connection.report(error);
      }
    }
    own.clear();
    feed.close();
    connection.close();
  }

  return {
    shared: true,
    async ready() {
      const within_ms = wasReady ? Math.min(shortly_ms, patience_ms) : undefined;
      await connection.reachable(within_ms);
      await send((redis) => redis.ping());
      if (!wasReady) await lease.tick();
      await feed.ready(within_ms);
      wasReady = true;
    },
    begin,
    async find(id) {
      const known = await read(id);
      if (known !== undefined) return known.execution;
      const [newest] = await send((redis) => redis.zrevrange(keys.rawId(id), 0, 0));
      return newest === undefined ? undefined : (await read(newest))?.execution;
    },
    update: (handle, wanted) => change(handle, wanted),
    async answered(handle, first_answer) {
      await send((redis) => redis.taskAnswered(1, keys.execution(handle), first_answer));
      const current = own.get(handle);
      if (current !== undefined) current.execution.first_answer ??= first_answer;
    },
    subscribe: feed.subscribe,
    folders,
    prune: (time) => dropEnded(connection, keys, read, retention, folders, time),
    close() {
      closed ??= release();
      return closed;
    },
  };
}

/** A moment that grows and differs, so that those who got in each other's way do not meet again; none at first. */
async function jitter(attempt: number): Promise<void> {
  if (attempt < 2) return;
  const longest_ms = Math.min(50, 2 ** attempt);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * longest_ms));
}

function tooContended(handle: string): ControlError {
  return storeUnavailable(
    `The task ${handle} was changed by others ${maxTries} times while it was to be changed; try again`,
  );
}
