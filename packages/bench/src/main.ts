#!/usr/bin/env node
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { coldStart } from "./cold-start.ts";
import { controlPlane } from "./control-plane.ts";
import type { Bench, Figure } from "./figure.ts";
import { grpc } from "./grpc.ts";
import { notice } from "./notice.ts";
import { onboarding } from "./onboarding.ts";
import { pipelineOverhead } from "./pipeline-overhead.ts";
import { stores } from "./stores.ts";
import { streaming } from "./streaming.ts";

const benches: readonly Bench[] = [
  controlPlane,
  stores,
  pipelineOverhead,
  notice,
  streaming,
  grpc,
  coldStart,
  onboarding,
];

const usage = `Usage: npm run -s bench -- [name ...] [--json]

${benches.map(({ name, about }) => `  ${name.padEnd(18)} ${about}`).join("\n")}

Without a name all of them run. --json prints one line per figure:
  {"bench", "metric", "value", "unit", "baseline", "ratio"}
where baseline names what value was divided by in the same run.
`;

// Leaving this way, unlike being killed, takes temporary files and child processes along.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
process.exitCode = await main();

async function main(): Promise<number> {
  let chosen: readonly Bench[];
  let json: boolean;
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      return 0;
    }
    chosen = positionals.length === 0 ? benches : positionals.map(find);
    json = values.json;
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  process.stderr.write(`Node ${process.version}, ${cpus().length} cores of ${cpus()[0]?.model.trim()}\n`);
  for (const bench of chosen) {
    process.stderr.write(`${bench.name}: ${bench.about} ...\n`);
    await bench.run((figure) => print({ bench: bench.name, ...figure }, json));
  }
  return 0;
}

function find(name: string): Bench {
  const bench = benches.find((known) => known.name === name);
  if (bench === undefined)
    throw new Error(`Expected a bench, one of ${benches.map((b) => b.name).join(", ")}; found ${name}`);
  return bench;
}

function print(figure: Figure, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(figure));
    return;
  }
  const { bench, metric, value, unit, baseline, ratio } = figure;
  const compared =
    ratio === null ? "" : `  ${ratio < 0.1 ? ratio.toPrecision(2) : ratio.toFixed(2)} of ${baseline}`;
  console.log(
    `${bench.padEnd(18)} ${metric.padEnd(20)} ${value.toFixed(value < 100 ? 2 : 0).padStart(9)} ${unit.padEnd(11)}${compared}`,
  );
}
