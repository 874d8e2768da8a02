/** A whole service: one quick operation, one long one. Run it with `npm run hello`. */
import { setTimeout as pause } from "node:timers/promises";
import { defineOperation, sequentialService, serve } from "@aieffect/service-kit";
import * as z from "zod";

const mean = defineOperation({
  name: "Mean",
  input: { formats: ["csv"] },
  parameters: z.object({ column: z.string().default("value") }),
  async run({ inputs, parameters, publish }) {
    const [input] = inputs;
    if (input === undefined) throw new Error("Expected a CSV as input, found none");
    const [header = "", ...rows] = (await input.text()).trim().split(/\r?\n/);
    const column = header.split(",").indexOf(parameters.column);
    if (column < 0) throw new Error(`Expected a column "${parameters.column}", found ${header}`);
    const values = rows.map((row) => Number(row.split(",")[column]));
    const sum = values.reduce((total, value) => total + value, 0);
    return publish(JSON.stringify({ mean: sum / values.length }), { format: "json", as: "inline" });
  },
});

const train = defineOperation({
  name: "Train",
  style: "concurrent",
  parameters: z.object({ seconds: z.number().min(0).max(60).default(2) }),
  async run({ parameters, progress, publish, signal }) {
    for (let percent = 0; percent < 100; percent += 10) {
      progress(percent, "training");
      await pause(parameters.seconds * 100, undefined, { signal });
    }
    return publish("epoch,loss\n1,0.5\n", { format: "csv" });
  },
});

const service = sequentialService({
  name: "hello",
  operations: [mean, train],
  data_dir: process.env.DATA_DIR ?? "data",
});
await serve(service, { host: process.env.HOST ?? "127.0.0.1" });
