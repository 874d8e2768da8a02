import { mkdir } from "node:fs/promises";
import { Agent } from "node:http";
import { join } from "node:path";
import { startServer } from "./child-server.ts";
import { type Bench, median, percentile } from "./figure.ts";
import { withTemporaryFolder } from "./leftovers.ts";
import { load } from "./load.ts";
import { post } from "./post.ts";
import { startRedis } from "./redis-server.ts";

const rounds = 5;
const roundSeconds = 2;
const calls = 500;

/** What keeping tasks elsewhere than in memory costs. The stores take turns, so that a machine's moods hit all of them. */
export const stores: Bench = {
  name: "stores",
  about: "tasks/s and ms of a no-op execute in serve() by task store: memory, SQLite, a Redis of its own",
  run: (report) =>
    withTemporaryFolder(async (folder) => {
      const names: Record<string, string> = { memory: "memory", sqlite: `sqlite:${join(folder, "sqlite")}` };
      await mkdir(join(folder, "sqlite"));
      const redis = await startRedis(folder);
      if (redis !== undefined) names.redis = redis.url;
      else process.stderr.write("\n*** No redis-server on the PATH: the Redis store is NOT measured ***\n\n");
      const started = await Promise.all(
        Object.entries(names).map(async ([name, store]) => ({
          name,
          server: await startServer("kit", { TASK_STORE: store }),
          throughputs: [] as number[],
          times: [] as number[],
        })),
      );
      for (const { server } of started) await load(server.url, 1);
      for (let round = 0; round < rounds; round++) {
        for (const { server, throughputs, times } of started) {
          throughputs.push(await load(server.url, roundSeconds));
          times.push(...(await callOneByOne(server.url)));
        }
      }
      await Promise.all(started.map(({ server }) => server.stop()));
      await redis?.stop();

      const memory = started[0]?.throughputs ?? [];
      for (const { name, throughputs, times } of started) {
        const ratios = throughputs.map((value, round) => value / (memory[round] ?? Number.NaN));
        const compared =
          name === "memory" ? { baseline: null, ratio: null } : { baseline: "memory", ratio: median(ratios) };
        report({ metric: `${name}, 64 callers`, value: median(throughputs), unit: "tasks/s", ...compared });
        const alone = { unit: "ms", baseline: null, ratio: null };
        report({ metric: `${name}, one, p50`, value: median(times), ...alone });
        report({ metric: `${name}, one, p99`, value: percentile(times, 99), ...alone });
      }
    }),
};

/** What a single caller waits for each of its tasks, in ms. */
async function callOneByOne(url: string): Promise<number[]> {
  const agent = new Agent({ keepAlive: true });
  const times: number[] = [];
  try {
    for (let call = 0; call < calls; call++) {
      const body = JSON.stringify({
        method: "Noop",
        workflow_id: "wf-alone",
        task_id: `${call}`,
        inputs: [],
      });
      const began = performance.now();
      const answer = (await post(agent, `${url}/control/execute`, body)) as { status?: unknown };
      times.push(performance.now() - began);
      if (answer.status !== "complete")
        throw new Error(`Expected the task to be complete, found ${JSON.stringify(answer)}`);
    }
  } finally {
    agent.destroy();
  }
  return times;
}
