import { startServer } from "./child-server.ts";
import { type Bench, median } from "./figure.ts";
import { load } from "./load.ts";

const servers = { kit: "kit", "node:http": "bare", express: "express-echo" };
const rounds = 5;
const roundSeconds = 2;

/** Throughput of a no-op sequential execute. The servers take turns, so that a machine's moods hit all of them. */
export const controlPlane: Bench = {
  name: "control-plane",
  about: "requests/s of a no-op execute in serve(), against bare node:http and an express.json() echo",
  async run(report) {
    const throughputs: Record<string, number[]> = {};
    const started = await Promise.all(
      Object.entries(servers).map(async ([name, file]) => ({ name, server: await startServer(file) })),
    );
    try {
      for (const { server } of started) await load(server.url, 1);
      for (let round = 0; round < rounds; round++) {
        for (const { name, server } of started) {
          throughputs[name] = [...(throughputs[name] ?? []), await load(server.url, roundSeconds)];
        }
      }
    } finally {
      await Promise.all(started.map(({ server }) => server.stop()));
    }
    const unit = "requests/s";
    const of = (name: string) => median(throughputs[name] ?? []);
    report({ metric: "node:http execute", value: of("node:http"), unit, baseline: null, ratio: null });
    report({ metric: "express execute", value: of("express"), unit, baseline: null, ratio: null });
    for (const baseline of ["node:http", "express"]) {
      const ratios = (throughputs.kit ?? []).map(
        (value, round) => value / (throughputs[baseline]?.[round] ?? Number.NaN),
      );
      report({ metric: "kit execute", value: of("kit"), unit, baseline, ratio: median(ratios) });
    }
  },
};
