import { ControlError } from "@aieffect/control-interface";
import type { ProtobufPlane } from "@aieffect/data-plane-protobuf";
import type { Input, OperationContext } from "@aieffect/service-kit";
import type { EnergyRecord } from "../../../generated/common.ts";
import { DataGeneratorServiceService as Generator } from "../../../generated/data_generator.ts";
import { createOutcome } from "../../../messages/create-outcome.ts";

/** As many records are held, about 10 MB of them; more are fetched again when they are wanted again. */
const max_held = 50_000;

/** Readings that can be gone through more than once. */
export interface Readings {
  /** All records, piece by piece. @throws ControlError when the peer says that it failed, or has no record */
  pieces(): AsyncGenerator<readonly EnergyRecord[]>;
}

/**
 * The readings of an input. Where its reference names no task (R-GRPC-05) all are held, because the
 * peer's next answer could be another task's.
 */
export function createReadings(
  plane: ProtobufPlane,
  input: Input,
  ctx: Pick<OperationContext, "signal" | "traceparent" | "log">,
): Readings {
  const isKept = typeof input.reference.metadata?.task_id === "string";
  let held: EnergyRecord[][] | undefined;

  async function* fetch() {
    let pieces: EnergyRecord[][] | undefined = [];
    let count = 0;
    const outcome = createOutcome("GenerateData");
    for await (const piece of plane.fetchMessages(input, Generator.generateData, ctx)) {
      ctx.signal.throwIfAborted();
      outcome.add(piece);
      const { records } = piece;
      if (records.length === 0) continue;
      count += records.length;
      if (isKept && count > max_held) pieces = undefined;
      pieces?.push(records);
      yield records;
    }
    outcome.assertSuccess();
    if (count === 0)
      throw new ControlError("unreadable_reference", "Expected at least one record, found none");
    held = pieces;
  }

  return {
    async *pieces() {
      if (held === undefined) yield* fetch();
      else yield* held;
    },
  };
}
