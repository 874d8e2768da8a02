import { tempFolder } from "@aieffect/test-support";
import { describeDurableStore } from "../testing/durable-store-suite.ts";
import { describeTaskStore } from "../testing/task-store-suite.ts";
import { createSqliteStore } from "./sqlite-store.ts";
import type { Retention } from "./task-store.ts";

const open = (dir: string, retention: Retention = {}) => createSqliteStore({ dir, retention });

describeTaskStore("sqlite", async (retention) => open(await tempFolder(), retention));
describeDurableStore("sqlite", async () => {
  const dir = await tempFolder();
  return (retention) => open(dir, retention);
});
