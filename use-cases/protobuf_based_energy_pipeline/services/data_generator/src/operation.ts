import { randomInt } from "node:crypto";
import { ControlError } from "@aieffect/control-interface";
import type { ProtobufPlane } from "@aieffect/data-plane-protobuf";
import { generationParameters, type Plan, singleInput, toPlan } from "@aieffect/energy-services";
import { defineOperation, type OperationContext } from "@aieffect/service-kit";
import * as z from "zod";
import {
  DataGeneratorServiceService as DataGenerator,
  type GenerateDataResponse,
} from "../../../generated/data_generator.ts";
import { InputProviderService as Provider } from "../../../generated/input_provider.ts";
import { createOutcome } from "../../../messages/create-outcome.ts";
import { inPieces } from "../../../messages/in-pieces.ts";
import { generateRecords } from "./generate-records.ts";

const parameters = z.object(generationParameters);

type Context = OperationContext<z.infer<typeof parameters>>;

/** Generates readings and serves them as a message, in pieces where they are many. */
export function createGenerateData(plane: ProtobufPlane) {
  return defineOperation({
    name: "GenerateData",
    // JSON is not among them, so an inline configuration is read as parameters.
    input: { protocols: ["grpc"], formats: ["GetConfiguration"] },
    output: { protocols: ["grpc"], formats: ["GenerateData"] },
    parameters,
    async run(ctx) {
      const plan = { ...toPlan(ctx.parameters, randomInt(2 ** 31)), ...(await askProvider(plane, ctx)) };
      ctx.log.info(plan, "generating readings");
      return plane.publish(DataGenerator.generateData, toMessages(plan, ctx), ctx);
    },
  });
}

/** What a provider that hands its configuration on over gRPC, as others than ours may, says of it. */
async function askProvider(
  plane: ProtobufPlane,
  ctx: Context,
): Promise<Pick<Plan, "num_records"> | undefined> {
  if (ctx.inputs.length === 0) return undefined;
  const input = singleInput(ctx, "a configuration");
  const response = await plane.fetchMessage(input, Provider.getConfiguration, ctx);
  const outcome = createOutcome("GetConfiguration");
  outcome.add(response);
  outcome.assertSuccess();
  const parsed = generationParameters.num_records.safeParse(response.numRecords);
  if (parsed.success) return { num_records: parsed.data };
  throw new ControlError(
    "unreadable_reference",
    `Expected num_records of GetConfiguration to be from 1 to 50000000, found ${response.numRecords}`,
  );
}

/** The readings in pieces; the last one has the message to people. */
function* toMessages(plan: Plan, { signal, progress }: Context): Generator<GenerateDataResponse> {
  let done = 0;
  for (const records of inPieces(generateRecords(plan))) {
    signal.throwIfAborted();
    done += records.length;
    const message = done === plan.num_records ? `Generated ${done} records` : "";
    yield { success: true, message, records };
    // 100 is for the end, when the result has been published as well.
    progress(Math.min(99, Math.floor((done / plan.num_records) * 100)));
  }
}
