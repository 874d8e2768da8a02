import { randomInt } from "node:crypto";
import type { DataReference } from "@aieffect/control-interface";
import { generationParameters, singleInput, toPlan } from "@aieffect/energy-services";
import { defineOperation, type Input, type OperationContext } from "@aieffect/service-kit";
import * as z from "zod";
import { readFile, readInput } from "../../../execution/read-input.ts";
import { generateRows } from "./generate-rows.ts";
import { validateReadings } from "./validate.ts";

const parameters = z.object({
  ...generationParameters,
  output_format: z.literal("csv").default("csv").describe("csv is the only one"),
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
  const plan = toPlan(parameters, randomInt(2 ** 31));
  log.info(plan, "generating readings");
  return publish(following(generateRows(plan), plan.num_records, { signal, progress }), {
    format: "csv",
    as: "file",
    name: "raw_energy.csv",
    metadata: { records: plan.num_records, seed: plan.seed },
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
