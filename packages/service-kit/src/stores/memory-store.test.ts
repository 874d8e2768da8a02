import { describeTaskStore } from "../testing/task-store-suite.ts";
import { createMemoryStore } from "./memory-store.ts";

describeTaskStore("memory", async (retention) => createMemoryStore(retention));
