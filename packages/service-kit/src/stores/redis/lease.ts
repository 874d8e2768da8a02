import type { RedisConnection } from "./connection.ts";
import type { RedisKeys } from "./keys.ts";

/** What a replica does to be known as alive, and to find out who is not. */
export interface Lease {
  /** Renews it now, and looks for replicas that died. @throws ControlError `store_unavailable` */
  tick(): Promise<void>;
  /** It was found to have run out. */
  lapsed(): void;
  /** So long a lease stands without being renewed, in ms. */
  readonly stands_ms: number;
  /** Whether another replica is known to be dead; not while this one cannot tell. */
  isDead(other: string): Promise<boolean>;
  /** Gives it back; the replica runs nothing any more. */
  leave(): Promise<void>;
  /** Renews it no more. */
  stop(): void;
}

/** What the lease needs of the store around it. */
export interface LeaseParts {
  connection: RedisConnection;
  keys: RedisKeys;
  /** This replica. */
  replica: string;
  lease_ms: number;
  /** Marks as lost what another replica ran, unless that lives after all. */
  lose(handle: string, replica: string): Promise<void>;
  /** Its own lease had run out: others may have marked its tasks as lost. */
  onLapse(): void;
  /** Part of every round. */
  onTick(): Promise<void>;
}

/** How many tasks of a dead replica are marked at once. */
const loseAtOnce = 50;

/** A replica that died has to be found out within its lease (R-LOST-02): it stands a little shorter, and is looked at often. */
export function createLease(parts: LeaseParts): Lease {
  const { connection, keys, replica, lease_ms } = parts;
  const stands_ms = Math.ceil((lease_ms * 3) / 4);
  const every_ms = lease_ms / 6;
  let heldSince: number | undefined;
  let mayJudge = false;
  let timer: NodeJS.Timeout | undefined;
  let ticking: Promise<void> | undefined;
  let stopped = false;

  connection.onReachable(() => void loop());

  async function loop(): Promise<void> {
    clearTimeout(timer);
    try {
      await tick();
    } catch (error) {
      connection.report(error);
    }
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(loop, every_ms).unref();
  }

  function tick(): Promise<void> {
    ticking ??= round().finally(() => {
      ticking = undefined;
    });
    return ticking;
  }

  async function round(): Promise<void> {
    if (stopped) return;
    const held = await connection.send((redis) =>
      redis.taskRenew(2, keys.lease(replica), keys.replicas, replica, stands_ms),
    );
    if (heldSince === undefined) await begin();
    else if (held === 0) lapsed();
    await parts.onTick();
    if (!(mayJudge || performance.now() - (heldSince as number) >= stands_ms)) return;
    mayJudge = true;
    const others = await connection.send((redis) => redis.smembers(keys.replicas));
    for (const other of others) if (other !== replica && !stopped) await look(other);
  }

  /** Without a lease of its own over the last while, a replica cannot tell who died from who could not reach Redis either. */
  function lapsed(): void {
    if (heldSince === undefined) return;
    heldSince = performance.now();
    mayJudge = false;
    connection.report(
      new Error(
        `The lease of this replica has run out (for ${stands_ms} ms it was paused or too busy, or Redis was away, or has lost its data); tasks that it ran may have been given up`,
      ),
    );
    parts.onLapse();
  }

  async function begin(): Promise<void> {
    heldSince = performance.now();
    // Where Redis itself has just started, living replicas may not have come back to it yet.
    const info = await connection
      .send((redis) => redis.info())
      .catch((error: unknown) => {
        connection.report(error);
        return "";
      });
    const uptime_s = Number(/^uptime_in_seconds:(\d+)/m.exec(info)?.[1] ?? 0);
    mayJudge = uptime_s * 1000 > stands_ms;
    const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? "noeviction";
    if (/^maxmemory:[1-9]/m.test(info) && policy !== "noeviction") {
      connection.report(
        new Error(
          `Redis may drop tasks when it is full: its maxmemory-policy is ${policy}; set it to noeviction`,
        ),
      );
    }
  }

  async function isDead(other: string): Promise<boolean> {
    if (!mayJudge || other === replica) return false;
    const lives = await connection.send((redis) => redis.exists(keys.lease(other)));
    // Its own lease may have run out meanwhile.
    return !lives && mayJudge;
  }

  async function look(other: string): Promise<void> {
    if (!(await isDead(other))) return;
    const handles = await connection.send((redis) => redis.smembers(keys.runningOn(other)));
    for (let at = 0; at < handles.length; at += loseAtOnce) {
      await Promise.all(handles.slice(at, at + loseAtOnce).map((handle) => parts.lose(handle, other)));
    }
    await forget(other);
  }

  async function forget(other: string): Promise<void> {
    await connection.send((redis) =>
      redis.taskForget(3, keys.lease(other), keys.replicas, keys.runningOn(other), other),
    );
  }

  return {
    tick,
    lapsed,
    stands_ms,
    isDead,
    async leave() {
      await connection.send((redis) => redis.del(keys.lease(replica)));
      await forget(replica);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
