import { setTimeout as pause } from "node:timers/promises";
import { defineOperation } from "@aieffect/service-kit";
import * as z from "zod";
import { createMeter, type FeederReadings } from "../feeder/meter.ts";
import { plane, rpc } from "../plane.ts";

/** Reads a feeder's meters hour by hour, over a line that takes its time. */
export const readFeeder = defineOperation({
  name: "ReadFeeder",
  output: { protocols: ["grpc"], formats: ["ReadFeeder"] },
  parameters: z.object({
    start: z.iso.datetime().default("2025-01-06T00:00:00Z").describe("The first hour"),
    hours: z.number().int().min(1).max(8784).default(24).describe("How many are read"),
    seed: z.number().int().default(1).describe("Of the simulated meter"),
    line_seconds: z.number().min(0).max(3600).default(0).describe("So long the line takes for all of them"),
  }),
  async run(ctx) {
    const { start, hours, seed, line_seconds } = ctx.parameters;
    const meter = createMeter(seed);
    const first = Math.floor(Date.parse(start) / 3_600_000) * 3_600_000;
    // Pieces of one message, written as they come: a year takes no more memory than an hour.
    async function* pieces(): AsyncGenerator<FeederReadings> {
      for (let hour = 0; hour < hours; hour++) {
        if (line_seconds > 0) await pause((line_seconds * 1000) / hours, undefined, { signal: ctx.signal });
        ctx.progress(Math.floor((100 * hour) / hours), `hour ${hour + 1} of ${hours}`);
        yield { readings: meter.readHour(first + hour * 3_600_000) };
      }
    }
    return plane.publish(rpc<FeederReadings>("ReadFeeder"), pieces(), ctx);
  },
});
