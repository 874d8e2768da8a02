import type { Execution } from "../../tasks/execution.ts";
import type { RedisConnection } from "./connection.ts";
import { type Current, toExecution, versionNumber } from "./current.ts";

type Listener = (execution: Execution) => void;

/** What is known of one handle that somebody listens to, or will. */
interface Heard {
  /** Number of the newest state that was told. */
  number: number;
  listeners: Set<Listener>;
  /** The newest state that came while nobody listened, as JSON, and the first answer. */
  kept: [json: string, first_answer: string] | undefined;
  /** It runs here: what comes before the first listener must not be missed. */
  expected: boolean;
}

/** Tells of changes, whichever process made them; never of an older state after a newer one. */
export interface Feed {
  subscribe(handle: string, listener: Listener): () => void;
  /** Keeps what comes for a handle until somebody listens. */
  expect(handle: string): void;
  /** Ends that. */
  release(handle: string): void;
  /** Tells of a state that was read or written here. */
  tell(handle: string, current: Current): void;
  /** Reads all that is listened to anew, if messages may have been missed. */
  catchUp(): Promise<void>;
  /** Messages may have been missed. */
  markStale(): void;
  /** Resolves when messages come in. @throws ControlError `store_unavailable` after `within_ms` */
  ready(within_ms?: number): Promise<void>;
  /** Connects, or looks whether the connection is alive: one that only listens would never notice. */
  check(): void;
  close(): void;
}

/** So long a channel may take that was never listened to. */
const subscribeWithin_ms = 5000;
/** How many executions are read at once. */
const readAtOnce = 100;

export function createFeed(
  connection: RedisConnection,
  channel: string,
  read: (handle: string) => Promise<Current | undefined>,
): Feed {
  const heard = new Map<string, Heard>();
  const client = connection.another();
  const waiting = new Set<() => void>();
  let subscribed = false;
  // What was listened to before the channel was, included.
  let stale = true;

  client.on("ready", () => {
    client
      .subscribe(channel)
      .then(() => {
        subscribed = true;
        for (const settle of [...waiting]) settle();
        return catchUp();
      })
      .catch(connection.report);
  });
  client.on("close", () => {
    subscribed = false;
    stale = true;
  });
  client.on("messageBuffer", (_channel: Buffer, message: Buffer) => {
    const end = message.indexOf(" ");
    const handle = message.toString("utf8", 0, end);
    const known = heard.get(handle);
    if (known === undefined) return;
    const text = message.toString("utf8", end + 1);
    const [version = "", first_answer = ""] = text.split(" ", 2);
    const number = versionNumber(version);
    if (number <= known.number) return;
    known.number = number;
    const json = text.slice(version.length + first_answer.length + 2);
    if (known.listeners.size === 0) known.kept = [json, first_answer];
    else call(known.listeners, toExecution(json, first_answer));
  });

  function call(listeners: Iterable<Listener>, execution: Execution): void {
    for (const listener of [...listeners]) {
      try {
        listener(execution);
      } catch (error) {
        connection.report(error);
      }
    }
  }

  function entry(handle: string): Heard {
    let known = heard.get(handle);
    if (known === undefined) {
      known = { number: 0, listeners: new Set(), kept: undefined, expected: false };
      heard.set(handle, known);
    }
    return known;
  }

  function drop(handle: string, known: Heard): void {
    if (known.listeners.size === 0 && !known.expected) heard.delete(handle);
  }

  function tell(handle: string, { number, execution }: Current): void {
    const known = heard.get(handle);
    if (known === undefined || number <= known.number) return;
    known.number = number;
    known.kept = undefined;
    call(known.listeners, execution);
  }

  async function catchUp(): Promise<void> {
    if (!stale || !subscribed) return;
    stale = false;
    const handles = [...heard.keys()];
    try {
      for (let at = 0; at < handles.length; at += readAtOnce) {
        await Promise.all(
          handles.slice(at, at + readAtOnce).map(async (handle) => {
            const current = await read(handle);
            if (current !== undefined) tell(handle, current);
          }),
        );
      }
    } catch (error) {
      stale = true;
      throw error;
    }
  }

  return {
    subscribe(handle, listener) {
      const known = entry(handle);
      known.listeners.add(listener);
      const { kept } = known;
      if (kept !== undefined) {
        known.kept = undefined;
        // Not before the caller has what it needs to stop listening.
        queueMicrotask(() => {
          if (known.listeners.has(listener)) call([listener], toExecution(...kept));
        });
      }
      return () => {
        known.listeners.delete(listener);
        drop(handle, known);
      };
    },
    expect(handle) {
      entry(handle).expected = true;
    },
    release(handle) {
      const known = heard.get(handle);
      if (known === undefined) return;
      known.expected = false;
      drop(handle, known);
    },
    tell,
    catchUp,
    markStale() {
      stale = true;
    },
    ready(within_ms = subscribeWithin_ms) {
      if (subscribed) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const settle = () => {
          clearTimeout(timer);
          waiting.delete(settle);
          resolve();
        };
        const timer = setTimeout(() => {
          waiting.delete(settle);
          reject(connection.unavailable());
        }, within_ms);
        waiting.add(settle);
      });
    },
    check() {
      // How either ends is told by events.
      if (client.status === "wait") client.connect().catch(() => {});
      else if (client.status === "ready") client.ping().catch(() => {});
    },
    close() {
      heard.clear();
      client.disconnect();
    },
  };
}
