import { ControlError } from "@aieffect/control-interface";
import { defineOperation, type Input } from "@aieffect/service-kit";
import * as z from "zod";

/**
 * Begins the pipeline: hands out the configuration for data to be generated, from the workflow's
 * inline JSON or else the defaults, or passes on a data set that already exists, unchanged.
 */
export const getConfiguration = defineOperation({
  name: "GetConfiguration",
  output: { protocols: ["inline", "file", "http", "https", "s3"], formats: ["json", "csv"] },
  // Loose: what only later services understand, like a seed, travels through.
  parameters: z.looseObject({
    num_records: z.int().min(1).default(10).describe("How many records to generate"),
    output_format: z.string().min(1).default("csv").describe("Format of the generated data"),
  }),
  async run({ inputs, parameters, publish }) {
    const [input] = inputs;
    if (inputs.length > 1) {
      const message = `GetConfiguration takes at most one input, a configuration or a data set; found ${inputs.length}`;
      throw new ControlError("invalid_request", message);
    }
    if (input !== undefined && !(await isConfiguration(input))) return input.reference;
    return publish(JSON.stringify(parameters), { format: "json", as: "inline", name: "configuration.json" });
  },
});

/** The kit has read an inline JSON object as parameters; anything else inline is data, or a mistake. */
async function isConfiguration({ reference, json }: Input): Promise<boolean> {
  if (reference.protocol !== "inline" || reference.format !== "json") return false;
  const value = await json();
  if (value !== null && typeof value === "object" && !Array.isArray(value)) return true;
  throw new ControlError(
    "invalid_reference",
    `Expected the inline JSON to be an object such as {"num_records":10,"output_format":"csv"}, found ${JSON.stringify(value).slice(0, 100)}`,
  );
}
