import type { ResolvedOptions } from "../options.ts";
import { createMemoryStore } from "./memory-store.ts";
import type { TaskStore } from "./task-store.ts";

/** The store that the option `store` or `TASK_STORE` names. @throws TypeError naming what can be chosen, or what has to be installed */
export function openStore({
  store,
  retention,
}: Pick<ResolvedOptions, "store" | "retention" | "namespace">): TaskStore {
  if (typeof store !== "string") return store;
  if (store === "memory") return createMemoryStore(retention);
  throw new TypeError(
    `Expected TASK_STORE to be "memory", "sqlite:DIR" or "redis://host:port", got "${store}"`,
  );
}
