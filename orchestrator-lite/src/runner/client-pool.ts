import { isIP } from "node:net";
import { ControlClient, type HostPolicy } from "@aieffect/control-interface";
import { createServiceLimits, type ServiceLimits } from "./call-limit.ts";
import type { Clock } from "./clock.ts";

/** The right to use clients with one key. */
export interface ClientLease {
  /** The client for a service's base URL. */
  client(address: string): ControlClient;
  /** How much may be asked of that service at once, whoever asks and with whichever key. */
  limits(address: string): ServiceLimits;
  /** Gives the clients back; the ones with a key are closed once nobody else has them. */
  release(): void;
}

/** Clients shared by all workflows with the same key, so that connections stay open between calls. */
export interface ClientPool {
  lease(api_key: string | undefined): ClientLease;
  /** Closes every client. */
  close(): void;
}

/** What the clients are made with. */
export interface ClientPoolOptions {
  hosts: HostPolicy;
  call_timeout_ms: number;
  max_calls_per_service: number;
  clock: Clock;
}

/** How long connections without a key stay open for the next workflow. */
const linger_ms = 15_000;

interface Entry {
  client: ControlClient;
  users: number;
  stopLinger: (() => void) | undefined;
}

function isLiteral(address: string): boolean {
  return isIP(new URL(address).hostname.replace(/^\[|\]$/g, "")) !== 0;
}

/** A pool without clients yet. */
export function createClientPool(options: ClientPoolOptions): ClientPool {
  const { hosts, call_timeout_ms, max_calls_per_service, clock } = options;
  const limits = new Map<string, ServiceLimits>();
  const byKey = new Map<string | undefined, Map<string, Entry>>();

  function acquire(api_key: string | undefined, address: string): Entry {
    let entries = byKey.get(api_key);
    if (entries === undefined) {
      entries = new Map();
      byKey.set(api_key, entries);
    }
    let entry = entries.get(address);
    if (entry === undefined) {
      const client = new ControlClient({
        base_url: address,
        // A literal address was judged when it was submitted and never resolves to another one.
        ...(!isLiteral(address) && { hosts }),
        call_timeout_ms,
        // Executes that follow one another find a connection that is open.
        max_idle_connections: max_calls_per_service,
        ...(api_key !== undefined && { api_key }),
      });
      entry = { client, users: 0, stopLinger: undefined };
      entries.set(address, entry);
    }
    entry.stopLinger?.();
    entry.stopLinger = undefined;
    entry.users++;
    return entry;
  }

  function limitsOf(address: string): ServiceLimits {
    const known = limits.get(address) ?? createServiceLimits(max_calls_per_service);
    limits.set(address, known);
    return known;
  }

  /** Nothing is remembered of services that nobody calls. */
  function forgetLimits(address: string): void {
    const known = limits.get(address);
    const isIdle = Object.values(known ?? {}).every(({ going }) => going === 0);
    if (isIdle) limits.delete(address);
  }

  function drop(api_key: string | undefined, address: string, entry: Entry): void {
    const entries = byKey.get(api_key);
    entries?.delete(address);
    if (entries?.size === 0) byKey.delete(api_key);
    entry.client.close();
  }

  return {
    lease(api_key) {
      const mine = new Map<string, Entry>();
      return {
        client(address) {
          const entry = mine.get(address) ?? acquire(api_key, address);
          mine.set(address, entry);
          return entry.client;
        },
        limits: limitsOf,
        release() {
          for (const [address, entry] of mine) {
            forgetLimits(address);
            if (--entry.users > 0) continue;
            // A key is forgotten at once; without one the connections are worth keeping a while.
            if (api_key !== undefined) drop(api_key, address, entry);
            else entry.stopLinger = clock.setTimer(linger_ms, () => drop(api_key, address, entry), true);
          }
          mine.clear();
        },
      };
    },
    close() {
      for (const one of limits.values()) for (const limit of Object.values(one)) limit.clear();
      limits.clear();
      for (const entries of byKey.values()) {
        for (const { client, stopLinger } of entries.values()) {
          stopLinger?.();
          client.close();
        }
      }
      byKey.clear();
    },
  };
}
