import { generationParameters } from "@aieffect/energy-services";
import { defineOperation } from "@aieffect/service-kit";
import * as z from "zod";

/** Begins the pipeline: hands out the configuration, from the workflow's inline JSON or else the defaults. */
export const getConfiguration = defineOperation({
  name: "GetConfiguration",
  // No data: an inline JSON object is read as parameters, anything else is refused.
  input: [],
  output: { protocols: ["inline"], formats: ["json"] },
  // Loose: what only later services understand, like a seed, travels through.
  parameters: z.looseObject({ num_records: generationParameters.num_records }),
  run: ({ parameters, publish }) =>
    publish(JSON.stringify(parameters), { format: "json", as: "inline", name: "configuration.json" }),
});
