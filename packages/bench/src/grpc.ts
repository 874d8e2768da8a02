import { join } from "node:path";
import { ControlClient, type DataReference } from "@aieffect/control-interface";
import { startClient, startServer } from "./child-server.ts";
import { type Bench, median } from "./figure.ts";
import { withTemporaryFolder } from "./leftovers.ts";

const size_bytes = 2 ** 30;
const rounds = 3;
/** The first of each way warms files and code up. */
const warmUps = 1;
/** Small messages are asked for so long, by so many callers at once. */
const small = { for_ms: 2000, at_once: 64 };

/**
 * The gRPC data plane over bare grpc-js in the same run, both in two processes: a small message asked
 * for again and again, and 1 GiB in pieces of 256 KiB, which the plane's client splits and verifies.
 */
export const grpc: Bench = {
  name: "grpc",
  about:
    "calls/s of a message of 1,000 bytes and MB/s of a result of 1 GiB over gRPC, against bare grpc-js, and the peak memory; good: 0.8 of a stream that is verified the same way, below 250 MB",
  run: (report) =>
    withTemporaryFolder(async (folder) => {
      const data_dir = join(folder, "data");
      const kitServer = await startServer("kit-grpc", { DATA_DIR: data_dir });
      const bareServer = await startServer("bare-grpc");
      const kitClient = await startClient("kit-grpc");
      const bareClient = await startClient("bare-grpc");
      const large = await publish(kitServer.url, "large", size_bytes);
      const little = await publish(kitServer.url, "little", 1000);
      const path = join(data_dir, "wf-bench", "large", "bench.Bench.Make.pb");
      const sha256 = large.checksum?.replace("sha256:", "");
      const ways = {
        bareCalls: () => bareClient.ask<number>({ address: bareServer.url, ...small }),
        servedCalls: () => bareClient.ask<number>({ address: little.uri, ...small }),
        kitCalls: () => kitClient.ask<number>({ reference: little, ...small }),
        bareStream: async () =>
          toSpeed(await bareClient.ask<number>({ address: bareServer.url, path, sha256 })),
        bareCopy: async () => toSpeed(await bareClient.ask<number>({ address: bareServer.url, path })),
        kitStream: async () => toSpeed(await kitClient.ask<number>({ reference: large, size_bytes })),
      };
      const found = Object.fromEntries(Object.keys(ways).map((name) => [name, []])) as unknown as Record<
        keyof typeof ways,
        number[]
      >;
      for (let round = -warmUps; round < rounds; round++) {
        for (const [name, ask] of Object.entries(ways) as [keyof typeof ways, () => Promise<number>][]) {
          const value = await ask();
          if (round >= 0) found[name].push(value);
        }
      }
      const against = (name: keyof typeof ways, baseline: keyof typeof ways) =>
        median(found[name].map((value, round) => value / (found[baseline][round] ?? Number.NaN)));
      const figures = [
        ["bare, calls", "bareCalls", undefined, "calls/s"],
        ["kit serves, calls", "servedCalls", "bareCalls", "calls/s"],
        ["kit fetches, calls", "kitCalls", "bareCalls", "calls/s"],
        ["bare, stream", "bareCopy", undefined, "MB/s"],
        ["bare, stream, sha256", "bareStream", undefined, "MB/s"],
        ["kit, stream, verified", "kitStream", "bareStream", "MB/s"],
        ["kit, stream, verified", "kitStream", "bareCopy", "MB/s"],
      ] as const;
      for (const [metric, name, baseline, unit] of figures) {
        const named = figures.find(([, way]) => way === baseline)?.[0] ?? null;
        const ratio = baseline === undefined ? null : against(name, baseline);
        report({ metric, value: median(found[name]), unit, baseline: named, ratio });
      }
      for (const [metric, child] of [
        ["kit service, peak", kitServer],
        ["kit client, peak", kitClient],
        ["bare service, peak", bareServer],
        ["bare client, peak", bareClient],
      ] as const) {
        const value = await child.peakMiB();
        if (value !== undefined) report({ metric, value, unit: "MiB", baseline: null, ratio: null });
      }
      await Promise.all([kitServer, bareServer, kitClient, bareClient].map((child) => child.stop()));
    }),
};

function toSpeed(ms: number): number {
  return size_bytes / 1000 / ms;
}

/** Has the service make a result, as a task would. */
async function publish(url: string, task_id: string, size: number): Promise<DataReference> {
  const client = new ControlClient({ base_url: url, call_timeout_ms: 300_000 });
  try {
    const call = { method: "Make", workflow_id: "wf-bench", task_id, parameters: { size_bytes: size } };
    const answer = await client.execute(call);
    if (answer.status === "complete" && answer.output !== undefined) return answer.output;
    throw new Error(`Expected a result, found ${JSON.stringify(answer)}`);
  } finally {
    client.close();
  }
}
