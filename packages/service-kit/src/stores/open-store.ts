import type { ResolvedOptions } from "../options.ts";
import { createMemoryStore } from "./memory-store.ts";
import { isRedisUrl } from "./redis/url.ts";
import { createRedisStore } from "./redis-store.ts";
import { createSqliteStore } from "./sqlite-store.ts";
import type { TaskStore } from "./task-store.ts";

/**
 * The store that the option `store` or `TASK_STORE` names; it tells `onProblem` what no caller hears of.
 *
 * @throws TypeError naming what can be chosen, or what has to be installed
 */
export function openStore(
  { store, retention, namespace, now }: Pick<ResolvedOptions, "store" | "retention" | "namespace" | "now">,
  onProblem: (error: Error) => void,
): TaskStore {
  if (typeof store !== "string") return store;
  if (store === "memory") return createMemoryStore(retention);
  if (store.startsWith("sqlite:")) {
    return createSqliteStore({ dir: store.slice("sqlite:".length), now, ...(retention && { retention }) });
  }
  if (isRedisUrl(store)) return createRedisStore({ url: store, namespace, retention, now, onProblem });
  // What was meant for a URL may hold a password.
  const shown = store.replace(/^.*@/s, "...@");
  throw new TypeError(
    `Expected TASK_STORE to be "memory", "sqlite:DIR" or "redis://host:port", got "${shown}"`,
  );
}
