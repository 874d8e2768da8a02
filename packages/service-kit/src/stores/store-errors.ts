import { ControlError } from "@aieffect/control-interface";

/** Seconds after which a caller may ask again. */
const retry_after_s = 2;

/**
 * The store cannot be used. The message is for the log and for who starts the service; callers are
 * told no more than that.
 */
export function storeUnavailable(message: string, cause?: unknown): ControlError {
  const detail = "The service cannot reach the store that keeps its tasks; try again later";
  return new ControlError("store_unavailable", message, { cause, detail, retry_after_s });
}

/** The store has no room for what is to be kept. */
export function storageFull(message: string, cause?: unknown): ControlError {
  const detail = "The service has no room left to keep tasks; try again later";
  return new ControlError("storage_full", message, { cause, detail, retry_after_s });
}
