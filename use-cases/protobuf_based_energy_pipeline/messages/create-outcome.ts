import { ControlError } from "@aieffect/control-interface";
import { toShown } from "@aieffect/energy-services";

/** What a peer's answer says of itself. */
export interface Outcome {
  /** A piece of the answer, or all of it. */
  add(piece: { success: boolean; message: string }): void;
  /** To be asked after the last piece. @throws ControlError with the peer's message where it says that it failed */
  assertSuccess(): void;
}

/**
 * Follows `success` and `message` over the pieces of an answer as protobuf merges them: the last that
 * is set counts (R-GRPC-07).
 *
 * @param rpc whose answer it is, for messages
 */
export function createOutcome(rpc: string): Outcome {
  let succeeded = false;
  let said = "";
  return {
    add({ success, message }) {
      succeeded ||= success;
      said = message || said;
    },
    assertSuccess() {
      if (succeeded) return;
      const found = toShown(said, 300) || "no message";
      throw new ControlError(
        "unreadable_reference",
        `Expected the answer of ${rpc} to say success, found that it failed: ${found}`,
      );
    },
  };
}
