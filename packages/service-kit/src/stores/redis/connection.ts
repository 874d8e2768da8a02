import { createRequire } from "node:module";
import { isIP } from "node:net";
import type { ControlError } from "@aieffect/control-interface";
import type { Redis, RedisOptions } from "ioredis";
import { createSecrets } from "../../observability/redact.ts";
import { storageFull, storeUnavailable } from "../store-errors.ts";
import { type Scripts, scripts } from "./scripts.ts";
import { type RedisAddress, secretsOfRedisUrl } from "./url.ts";

/** A client of ioredis with our scripts. */
type RedisClient = Redis & Scripts;

/** Connections to one Redis that come back by themselves. */
export interface RedisConnection {
  /**
   * Sends commands; while Redis is away, waits for it. A command whose reply was lost with its
   * connection is sent again, so it has to stand that; `attempt` counts from 1.
   * @throws ControlError `store_unavailable` when Redis stays away, or refuses
   */
  send<T>(command: (redis: RedisClient, attempt: number) => Promise<T>): Promise<T>;
  /** Another connection of the same kind, e.g. for pub/sub. */
  another(): RedisClient;
  /** Resolves when commands can be sent. @throws ControlError `store_unavailable` after `within_ms`, by default as long as a call waits */
  reachable(within_ms?: number): Promise<void>;
  /** Calls back whenever commands can be sent again, the first time included. */
  onReachable(listener: () => void): void;
  /** Tells of a problem that no caller hears of; the same one at most every so often. */
  report(error: unknown): void;
  /** What stands for an outage in an error. */
  unavailable(): ControlError;
  /** From now on waits for Redis only so long, in ms; so do the calls that wait already. */
  hurry(within_ms: number): void;
  /** Commands could be sent at some time. */
  readonly wasReachable: boolean;
  close(): void;
}

/** How a {@link RedisConnection} bears with a Redis that is away. */
interface RedisConnectionOptions {
  /** So long a call waits for it. */
  patience_ms: number;
  /** So long at most there is between two attempts to connect. */
  retry_ms: number;
  onProblem(error: Error): void;
}

/** The same problem is told again after so long. */
const reportEvery_ms = 30_000;

/** Replies that pass by themselves: a server that starts, or hands over to another. */
const passing = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|ASK|BUSY)\b/;
/** In a cluster another node has the slot: all of a namespace is in one, so one connection is enough. */
const moved = /^MOVED \d+ (.*):(\d+)$/;

/** Connects at the first use. @throws TypeError when the package ioredis is not installed */
export function createRedisConnection(
  url: string,
  address: RedisAddress,
  { patience_ms, retry_ms, onProblem }: RedisConnectionOptions,
): RedisConnection {
  const Client = loadClient();
  const secrets = createSecrets(secretsOfRedisUrl(url));
  const clean = (error: unknown) => secrets.redact(error instanceof Error ? error.message : String(error));
  /** Errors about an outage, which events have told of. */
  const outages = new WeakSet<object>();
  const reported = new Map<string, number>();
  const listeners: (() => void)[] = [];
  /** What waits for the connection: called without an error when it is there. */
  const waiting = new Set<(error?: ControlError) => void>();
  /** A connection on which a command stays without a reply for so long is given up for a new one. */
  const silence_ms = patience_ms / 2;
  let patience = patience_ms;
  let lastProblem = "no answer";
  let wasReachable = false;
  let closed = false;

  const { host, port, db, username, password, tls } = address;
  const options = {
    host,
    port,
    db,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    // The nodes of a cluster go by their addresses, and have the name of the whole in their certificates.
    ...(tls && { tls: isIP(host) ? {} : { servername: host } }),
    scripts: Object.fromEntries(Object.entries(scripts).map(([name, lua]) => [name, { lua }])),
    lazyConnect: true,
    connectTimeout: silence_ms,
    socketTimeout: silence_ms,
    retryStrategy(times: number) {
      // A node that is gone has left its slots to another, of which those at the URL know.
      if (times === 3) Object.assign(redis.options, { host, port });
      return Math.min(retry_ms, 20 * 2 ** times) * (0.5 + Math.random() / 2);
    },
    // Waiting and sending again is done here, within limits: what the client kept would be carried
    // out after its caller was told that it failed.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    // A server that has become a replica in a failover: its successor is behind the same name.
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
  } satisfies RedisOptions;

  function another(): RedisClient {
    const client = new Client(options) as Redis as RedisClient;
    client.on("error", (error: unknown) => {
      lastProblem = clean(error);
      // One outage is told once, whatever the attempts to connect say one after the other.
      report(new Error(`Redis at ${address.shown} cannot be reached: ${lastProblem}`), "outage");
    });
    return client;
  }

  const redis = another();
  redis.on("ready", () => {
    wasReachable = true;
    reported.clear();
    for (const settle of [...waiting]) settle();
    for (const listener of listeners) listener();
  });

  function report(error: unknown, kind?: string): void {
    if (closed || outages.has(error as object)) return;
    const message = clean(error);
    const time = performance.now();
    const key = kind ?? message;
    if (time - (reported.get(key) ?? Number.NEGATIVE_INFINITY) < reportEvery_ms) return;
    if (reported.size >= 20) reported.clear();
    reported.set(key, time);
    onProblem(new Error(message));
  }

  function unavailable(): ControlError {
    const message = closed
      ? "The store of tasks is closed"
      : `Could not reach Redis at ${address.shown} (${lastProblem}); is it started, and can it be reached from here?`;
    const outage = storeUnavailable(message);
    outages.add(outage);
    return outage;
  }

  function reachable(within_ms = patience): Promise<void> {
    if (closed) return Promise.reject(unavailable());
    if (redis.status === "ready") return Promise.resolve();
    // How that ends is told by events.
    if (redis.status === "wait") redis.connect().catch(() => {});
    return new Promise((resolve, reject) => {
      const settle = (error?: ControlError) => {
        clearTimeout(timer);
        waiting.delete(settle);
        if (error === undefined) resolve();
        else reject(error);
      };
      const timer = setTimeout(() => settle(unavailable()), within_ms);
      waiting.add(settle);
    });
  }

  function moveTo(node: string, nodePort: number): void {
    const at = redis.options as { host: string; port: number };
    if (at.host === node && at.port === nodePort) return;
    Object.assign(at, { host: node, port: nodePort });
    redis.disconnect(true);
  }

  return {
    async send(command) {
      const deadline = performance.now() + patience;
      for (let attempt = 1; ; attempt++) {
        if (redis.status !== "ready" || closed) {
          await reachable(Math.min(patience, deadline - performance.now()));
        }
        try {
          return await command(redis, attempt);
        } catch (error) {
          if (!(error instanceof Error)) throw error;
          const [, node, nodePort] = moved.exec(isReply(error) ? error.message : "") ?? [];
          if (nodePort !== undefined) moveTo(node || host, Number(nodePort));
          else if (isReply(error) && !passing.test(error.message)) throw refused(clean(error), address);
          if (!isReply(error) && !isLost(error)) throw error;
          if (isReply(error)) lastProblem = clean(error);
          if (closed || performance.now() >= deadline) throw unavailable();
          await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 80));
        }
      }
    },
    another,
    reachable,
    onReachable: (listener) => void listeners.push(listener),
    report,
    unavailable,
    hurry(within_ms) {
      patience = within_ms;
      const waited = [...waiting];
      setTimeout(() => {
        for (const settle of waited) settle(unavailable());
      }, within_ms).unref();
    },
    get wasReachable() {
      return wasReachable;
    },
    close() {
      closed = true;
      redis.disconnect();
      for (const settle of [...waiting]) settle(unavailable());
    },
  };
}

/** An answer of the server, as opposed to a connection that broke. */
function isReply(error: Error): boolean {
  return error.name === "ReplyError";
}

/** What ioredis rejects with when a connection breaks, or is not there yet. */
function isLost(error: Error): boolean {
  return (
    error.name === "MaxRetriesPerRequestError" ||
    error.name === "AbortError" ||
    error.message === "Connection is closed." ||
    error.message.startsWith("Stream isn't writeable")
  );
}

function refused(message: string, { shown }: RedisAddress): ControlError {
  const said = `Redis at ${shown} refused: ${message}`;
  if (/^OOM\b/.test(message)) {
    return storageFull(`${said}; give it more memory, or keep less with the option retention`);
  }
  const isDenied = /^(NOAUTH|WRONGPASS|NOPERM)\b/.test(message);
  return storeUnavailable(
    `${said}; ${isDenied ? "look at the user and the password in its URL" : "its own log may say more"}`,
  );
}

/** ioredis is installed by who chooses this store. */
function loadClient(): typeof Redis {
  try {
    return (createRequire(import.meta.url)("ioredis") as { Redis: typeof Redis }).Redis;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw cause;
    throw new TypeError(
      "Expected the package ioredis for a store in Redis, found none; do `npm install ioredis`",
      { cause },
    );
  }
}
