import type { ResolvedOptions } from "../options.ts";
import { createMemoryStore } from "./memory-store.ts";
import { createSqliteStore } from "./sqlite-store.ts";
import type { TaskStore } from "./task-store.ts";

/** The store that the option `store` or `TASK_STORE` names. @throws TypeError naming what can be chosen, or what has to be installed */
export function openStore({
  store,
  retention,
  now,
}: Pick<ResolvedOptions, "store" | "retention" | "namespace" | "now">): TaskStore {
  if (typeof store !== "string") return store;
  if (store === "memory") return createMemoryStore(retention);
  if (store.startsWith("sqlite:")) {
    return createSqliteStore({ dir: store.slice("sqlite:".length), now, ...(retention && { retention }) });
  }
  throw new TypeError(
    `Expected TASK_STORE to be "memory", "sqlite:DIR" or "redis://host:port", got "${store}"`,
  );
}
