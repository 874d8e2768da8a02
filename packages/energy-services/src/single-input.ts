import { ControlError } from "@aieffect/control-interface";
import type { Input, OperationContext } from "@aieffect/service-kit";

/**
 * The one input of a task.
 *
 * @param what what it is, for the message
 * @throws ControlError when there is none, or several
 */
export function singleInput(
  { method, inputs }: Pick<OperationContext, "method" | "inputs">,
  what: string,
): Input {
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    throw new ControlError("invalid_request", `${method} takes one input, ${what}; found ${inputs.length}`);
  }
  return input;
}
