import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ControlClient, type DataReference } from "@aieffect/control-interface";
import { startClient, startServer } from "./child-server.ts";
import { type Bench, median } from "./figure.ts";
import { withTemporaryFolder } from "./leftovers.ts";

const size_bytes = 2 ** 30;
const rounds = 5;
/** The first of each way warms files and code up. */
const warmUps = 1;

/**
 * A payload on one service's disk to a file of another's, verified on the way, over bare pipelines
 * of node:http in the same two processes: one that does the same work (sha256, fsync), and one that
 * only copies.
 */
export const streaming: Bench = {
  name: "streaming",
  about:
    "MB/s of 1 GiB file -> http -> file with checksum, against bare node:http pipelines, and the peak memory; good: 0.8 of one that does the same, below 200 MiB",
  run: (report) =>
    withTemporaryFolder(async (folder) => {
      const into = join(folder, "fetched");
      await mkdir(into);
      const kitServer = await startServer("kit-payload", { DATA_DIR: join(folder, "data") });
      const bareServer = await startServer("bare-file");
      const kitClient = await startClient("kit-fetch");
      const bareClient = await startClient("bare-fetch");
      const reference = await publish(kitServer.url);
      const source = String(reference.metadata?.path);
      const bare = { url: `${bareServer.url}${encodeURI(source)}`, path: join(into, "bare.bin") };
      const ways = {
        kit: () => kitClient.ask<number>({ reference, folder: into }),
        bare: () => bareClient.ask<number>({ ...bare, sha256: reference.checksum?.replace("sha256:", "") }),
        copy: () => bareClient.ask<number>(bare),
      };
      const speeds: Record<keyof typeof ways, number[]> = { kit: [], bare: [], copy: [] };
      for (let round = -warmUps; round < rounds; round++) {
        // Who comes first changes, because the disk is still busy with what was before.
        const names = Object.keys(ways) as (keyof typeof ways)[];
        const shift = (round + warmUps) % names.length;
        for (const name of [...names.slice(shift), ...names.slice(0, shift)]) {
          const ms = await ways[name]();
          if (round >= 0) speeds[name].push(size_bytes / 1000 / ms);
        }
      }
      const unit = "MB/s";
      const against = (name: "bare" | "copy") =>
        median(speeds.kit.map((speed, round) => speed / (speeds[name][round] ?? Number.NaN)));
      const names = { bare: "bare, sha256+fsync", copy: "bare, copy only" };
      for (const name of ["bare", "copy"] as const) {
        report({ metric: names[name], value: median(speeds[name]), unit, baseline: null, ratio: null });
      }
      for (const name of ["bare", "copy"] as const) {
        const ratio = against(name);
        report({ metric: "kit, verified", value: median(speeds.kit), unit, baseline: names[name], ratio });
      }
      for (const [metric, child] of [
        ["kit service, peak", kitServer],
        ["kit client, peak", kitClient],
        ["bare client, peak", bareClient],
      ] as const) {
        const value = await child.peakMiB();
        if (value !== undefined) report({ metric, value, unit: "MiB", baseline: null, ratio: null });
      }
      await Promise.all([kitServer, bareServer, kitClient, bareClient].map((child) => child.stop()));
    }),
};

/** Has the service make its payload, as a task would. */
async function publish(url: string): Promise<DataReference> {
  const client = new ControlClient({ base_url: url, call_timeout_ms: 300_000 });
  try {
    const call = {
      method: "Publish",
      workflow_id: "wf-bench",
      task_id: "payload",
      parameters: { size_bytes },
    };
    const answer = await client.execute(call);
    if (answer.status === "complete" && answer.output !== undefined) return answer.output;
    throw new Error(`Expected a payload, found ${JSON.stringify(answer)}`);
  } finally {
    client.close();
  }
}
