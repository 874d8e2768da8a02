import { ControlError } from "@aieffect/control-interface";

/** What can become of an attempt that did not complete. */
export const failureClasses = [
  /** Refused, reset, not resolvable: there was no answer. */
  "unreachable",
  /** No answer within the time limit of a call. */
  "timeout",
  /** HTTP 429 or 5xx. */
  "unavailable",
  /** 404 on status or output after `running`: the service no longer knows the task. */
  "forgotten",
  /** `failed` with `retryable: true` (R-LOST-01). */
  "lost",
  /** The operation's own `failed` (R-EXEC-10). */
  "failed",
  /** Another HTTP status of 400 or above, or a host that must not be called. */
  "rejected",
  /** An answer that the contract does not allow, e.g. `running` without a task_id (R-EXEC-09). */
  "invalid_reply",
  /** The task's own time limit, over all its attempts. */
  "limit",
  /** A fault of the orchestrator. */
  "internal",
] as const;

/** Why an attempt did not complete. */
export type FailureClass = (typeof failureClasses)[number];

/** How often a task is tried. */
export interface RetryPolicy {
  /** Tries in all, the first one included. */
  attempts: number;
  /** Upper bound of the first pause, in seconds; it doubles with every try. */
  backoff_s: number;
  /** Classes that are tried again beside the ones that always are. */
  on: readonly FailureClass[];
}

/** A failed attempt, before it is known whether there will be another. */
export interface Failure {
  error: string;
  failure: FailureClass;
  /** The service answered: the next attempt is a new request, with a new idempotency key (R-IDEM-01). */
  answered: boolean;
  /** What the service asked for in Retry-After, in seconds. */
  retry_after_s?: number;
}

const alwaysRetried: readonly FailureClass[] = ["unreachable", "timeout", "unavailable", "forgotten", "lost"];
const longestPause_s = 60;

/** Whether a failure of this class is worth another try at all. */
function isRetried(policy: RetryPolicy, failure: FailureClass): boolean {
  if (failure === "limit" || failure === "internal") return false;
  return alwaysRetried.includes(failure) || policy.on.includes(failure);
}

/**
 * The pause before the next try in ms, or null when there is none: exponential back-off with full
 * jitter, and at least what the service asked for, up to 60 s.
 *
 * @param attempt the number of the try that failed, from 1
 * @param random  a number from 0 to 1
 */
export function retryDelay(
  policy: RetryPolicy,
  attempt: number,
  failure: Failure,
  random: number,
): number | null {
  if (attempt >= policy.attempts || !isRetried(policy, failure.failure)) return null;
  const jittered = random * Math.min(policy.backoff_s * 2 ** (attempt - 1), longestPause_s);
  return Math.min(Math.max(jittered, failure.retry_after_s ?? 0), longestPause_s) * 1000;
}

/** Turns what a control client rejected with into a failure. @param polling a 404 then means: forgotten */
export function toFailure(thrown: unknown, polling: boolean): Failure {
  if (!(thrown instanceof ControlError)) {
    return {
      error: "Internal error; the orchestrator's log has the details",
      failure: "internal",
      answered: false,
    };
  }
  const { code, message: error, peer_status = 0, retry_after_s } = thrown;
  if (code === "unreachable" || code === "timeout") return { error, failure: code, answered: false };
  if (code === "invalid_reply") return { error, failure: "invalid_reply", answered: true };
  if (code === "peer_refused") {
    const failure = classOfStatus(peer_status, polling);
    const hint =
      peer_status === 401
        ? " (the service asks for a key: give it as services_api_key with the submission, --services-api-key-env of run)"
        : "";
    return {
      error: error + hint,
      failure,
      answered: true,
      ...(retry_after_s !== undefined && { retry_after_s }),
    };
  }
  return { error, failure: "rejected", answered: false };
}

function classOfStatus(status: number, polling: boolean): FailureClass {
  if (status === 429 || status >= 500) return "unavailable";
  return polling && status === 404 ? "forgotten" : "rejected";
}
