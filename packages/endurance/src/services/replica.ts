/** One of several replicas. Arguments: ms of the lease by which the others find out that it died. */
import { setTimeout as pause } from "node:timers/promises";
import { concurrentService, createRedisStore, defineOperation, serve } from "@aieffect/service-kit";

const lease_ms = Number(process.argv[2]);
const url = process.env.TASK_STORE ?? "";
const problem = (error: Error) => console.error(`store: ${error.message}`);
const operations = [
  defineOperation({
    name: "Tell",
    async run({ workflow_id, task_id, progress, publish, signal }) {
      for (let step = 1; step <= 4; step++) {
        await pause(20 + Math.random() * 80, undefined, { signal });
        progress(step * 20, `step ${step}`);
      }
      return publish(JSON.stringify({ workflow_id, task_id }), { format: "json" });
    },
  }),
];
const store = createRedisStore({ url, namespace: "replicas", lease_ms, onProblem: problem });
await serve(concurrentService({ operations, store, max_running: 8, max_queued: 10_000 }));
