/** One replica of a service in a process of its own, for tests that kill and pause it: URL of a Redis, ms of a lease. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { concurrentService, createRedisStore, defineOperation, serve } from "../index.ts";

const [, , url = "", lease_ms] = process.argv;
const operations = [
  defineOperation({
    name: "Long",
    sink: true,
    async run({ signal, log, folder }) {
      signal.addEventListener("abort", () => log.info("told to stop"));
      await writeFile(join(await folder(), "half"), "1234567");
      await pause(60_000, undefined, { signal });
    },
  }),
  defineOperation({ name: "Short", sink: true, run: () => {} }),
];
const store = createRedisStore({ url, namespace: "replicas", lease_ms: Number(lease_ms) });
await serve(concurrentService({ operations, store }), { grace_ms: 0 });
