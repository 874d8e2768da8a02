import { defineOperation } from "@aieffect/service-kit";
import * as z from "zod";
import { checkReadings } from "../feeder/check-feeder.ts";
import type { FeederReadings, FeederReport } from "../feeder/messages.ts";
import { readCsv } from "../feeder/read-csv.ts";
import { peerRpc, plane, rpc } from "../plane.ts";

const readFeeder = peerRpc<FeederReadings>("feeder-meter.proto", "FeederMeterService", "ReadFeeder");

/** Checks a feeder's voltage: readings of a meter's service, or of a CSV. */
export const checkFeeder = defineOperation({
  name: "CheckFeeder",
  input: { protocols: ["grpc", "inline", "http", "https", "file"] },
  output: { protocols: ["grpc"], formats: ["CheckFeeder"] },
  parameters: z.object({
    nominal: z.number().positive().default(230).describe("The nominal voltage, in V"),
    tolerance: z.number().positive().default(10).describe("How far from it is allowed, in percent"),
  }),
  async run(ctx) {
    const [input] = ctx.inputs;
    if (input === undefined) throw new Error("Expected readings as input, found none");
    const readings =
      input.reference.protocol === "grpc"
        ? (await plane.fetchMessage(input, readFeeder, ctx)).readings
        : readCsv(await input.text());
    return plane.publish(rpc<FeederReport>("CheckFeeder"), checkReadings(readings, ctx.parameters), ctx);
  },
});
