import { tempFolder } from "@aieffect/test-support";
import { describeTaskStore } from "../testing/task-store-suite.ts";
import { createSqliteStore } from "./sqlite-store.ts";

describeTaskStore("sqlite", async (retention) =>
  createSqliteStore({ dir: await tempFolder(), ...(retention && { retention }) }),
);
