import { randomInt } from "node:crypto";
import type { DataReference } from "@aieffect/control-interface";
import { defineOperation, type Input, type OperationContext } from "@aieffect/service-kit";
import * as z from "zod";
import { readFile, readInput, singleInput } from "../../../execution/read-input.ts";
import { generateRows } from "./generate-rows.ts";
import { validateReadings } from "./validate.ts";

const parameters = z.object({
  num_records: z.int().min(1).max(50_000_000).default(10).describe("How many readings to generate"),
  output_format: z.literal("csv").default("csv").describe("csv is the only one"),
  seed: z.int().optional().describe("The same seed gives the same data; random and logged when absent"),
  start_time: z.iso
    .datetime({ offset: true })
    .default("2025-01-01T00:00:00Z")
    .describe("Time of the first reading, ISO 8601 with Z or an offset"),
  interval_s: z.int().min(1).max(86_400).default(900).describe("Seconds between two readings of a household"),
});

type Context = OperationContext<z.infer<typeof parameters>>;

/**
 * Generates readings as a CSV on shared storage. Given a CSV it checks that one and passes it on: a
 * `file` as the reference that came, anything else as a file of this task.
 */
export const generateData = defineOperation({
  name: "GenerateData",
  // JSON is not among the formats, so an inline configuration is read as parameters.
  input: { protocols: ["file", "http", "https", "s3", "inline"], formats: ["csv"] },
  output: { protocols: ["file"], formats: ["csv"] },
  parameters,
  async run(ctx) {
    return ctx.inputs.length === 0
      ? generate(ctx)
      : passOn(ctx, singleInput(ctx, "a CSV of energy readings"));
  },
});

async function generate({ parameters, log, publish, signal, progress }: Context): Promise<DataReference> {
  const { num_records, start_time, interval_s } = parameters;
  const seed = parameters.seed ?? randomInt(2 ** 31);
  log.info({ num_records, seed, start_time, interval_s }, "generating readings");
  const rows = generateRows({
    num_records,
    seed,
    start_ms: Date.parse(start_time),
    interval_ms: interval_s * 1000,
  });
  return publish(following(rows, num_records, { signal, progress }), {
    format: "csv",
    as: "file",
    name: "raw_energy.csv",
    metadata: { records: num_records, seed },
  });
}

/** The pieces of a long generation: reports progress and lets others have their turn. */
async function* following(
  pieces: Iterable<string>,
  num_records: number,
  { signal, progress }: Pick<Context, "signal" | "progress">,
): AsyncGenerator<string> {
  let done = 0;
  for (const piece of pieces) {
    signal.throwIfAborted();
    yield piece;
    done += 1000;
    if (done % 100_000 === 0) progress(Math.min(99, Math.floor((done / num_records) * 100)));
  }
}

async function passOn(ctx: Context, input: Input): Promise<DataReference> {
  const shared = input.reference.protocol === "file";
  const path = shared ? undefined : await input.path();
  const records = await validateReadings(path === undefined ? readInput(input, ctx) : readFile(path, ctx));
  ctx.log.info({ records }, "readings are sound");
  return path === undefined ? input.reference : ctx.publish({ path }, { format: "csv", as: "file" });
}
