import {
  type CallOptions,
  type ControlClient,
  ControlError,
  type DataReference,
  type ExecuteCall,
  exactMetadata,
  isHandle,
} from "@aieffect/control-interface";
import { type Failure, type RetryPolicy, retryDelay, toFailure } from "../core/failure.ts";
import type { CallLimit, ServiceLimits } from "./call-limit.ts";
import type { Clock } from "./clock.ts";
import type { SecretGuard } from "./secret-guard.ts";

/** What an attempt can come to. */
export type Report =
  | { type: "serviceAccepted"; handle: string }
  | { type: "progressed"; progress: number; message: string | null }
  | { type: "completed"; output: DataReference | null }
  | ({ type: "attemptFailed"; cause?: unknown } & Failure);

/** Everything one attempt needs. */
export interface ConversationOptions {
  client: ControlClient;
  /** Calls wait for room in these; waiting is no part of the time that a call may take. */
  limits: ServiceLimits;
  call: ExecuteCall;
  idempotency_key: string;
  /** What every call carries for the service's log and traces. */
  tags: Pick<CallOptions, "traceparent" | "correlation_id">;
  /** How often a poll is tried again when it gets no answer. */
  retry: RetryPolicy;
  /** Longest pause between two polls of a service that does not hold its answers back, in ms. */
  poll_interval_ms: number;
  clock: Clock;
  random: () => number;
  guard: SecretGuard;
  /** Ends the call that is under way; nothing is reported then. */
  signal: AbortSignal;
  /** Called in order; never after `completed`, `attemptFailed` or {@link Conversation.end}. */
  report: (report: Report) => void;
}

/** One attempt that is going on. */
export interface Conversation {
  /** What the service calls the task; its own name until it told one. */
  id(): string;
  /** Whether the service was called: otherwise it knows nothing of the task. */
  begun(): boolean;
  /** Nothing is called or reported any more. A call under way ends with the signal, or in its time. */
  end(): void;
}

const firstPause_ms = 100;
/** A wait that was honoured but over sooner, without news, is treated as if it was not. */
const shortestWait_ms = 1000;
const wait_s = 20;

/**
 * Executes a task and follows it to its end: execute, then status with a long poll, then output.
 * Driven by the answers: no promise chain and no timer outlives it.
 */
export function startConversation(options: ConversationOptions): Conversation {
  const { client, limits, call, clock, guard, retry, report, signal, tags } = options;
  const callOptions = { signal, ...tags };
  let begun = false;
  let over = false;
  let handle: string | undefined;
  let progress = -1;
  let strikes = 0;
  let pause_ms = firstPause_ms;
  /** Ends a pause, or the wait for room. */
  let stopWaiting: (() => void) | undefined;

  function finish(last: Report): void {
    over = true;
    report(last);
  }

  function fail(failure: Failure, cause?: unknown): void {
    finish({ ...failure, type: "attemptFailed", error: guard.redact(failure.error), cause });
  }

  function complete(output: DataReference | null): void {
    if (leaks(output)) {
      const error =
        "The service's output contains the services key; a reference must not carry it (R-SIGN-04)";
      fail({ error, failure: "invalid_reply", answered: true });
    } else finish({ type: "completed", output });
  }

  /** The key in a reference would be recorded and handed to the next service, unless it came with the inputs. */
  function leaks(output: DataReference | null): boolean {
    const exact = output === null ? undefined : exactMetadata(output);
    return (guard.isIn(output) || guard.isIn(exact)) && !guard.isIn(call.inputs);
  }

  /** Makes a call once there is room, and runs a step with what it gave; whatever goes wrong fails the attempt. */
  function follow<T>(
    limit: CallLimit,
    send: () => Promise<T>,
    onAnswer: (value: T) => void,
    onFailure: (thrown: unknown) => void,
  ): void {
    stopWaiting = limit.enter((leave) => {
      send()
        .then(
          (value) => {
            leave();
            onAnswer(value);
          },
          (thrown: unknown) => {
            leave();
            throw thrown;
          },
        )
        .catch((thrown: unknown) => {
          if (!over) onFailure(thrown);
        });
    });
  }

  function execute(): void {
    follow(
      limits.executes,
      () => {
        begun = true;
        return client.execute(call, { ...callOptions, idempotency_key: options.idempotency_key });
      },
      (reading) => {
        if (over) return;
        if (reading.status === "complete") return complete(reading.output ?? null);
        if (reading.status === "failed") {
          const failure = reading.retryable ? "lost" : "failed";
          return fail({ error: errorText(reading.error), failure, answered: true });
        }
        handle = checkHandle(reading.task_id);
        report({ type: "serviceAccepted", handle });
        askStatus();
      },
      (thrown) => fail(toFailure(thrown, false), thrown),
    );
  }

  function checkHandle(given: string | undefined): string {
    if (given !== undefined && isHandle(given) && !guard.isIn(given)) return given;
    const found = given === undefined || given === "" ? "none" : JSON.stringify(given.slice(0, 80));
    const message = `Expected running to carry a task_id to poll with, found ${found} (R-EXEC-08, R-EXEC-09)`;
    throw new ControlError("invalid_reply", message);
  }

  function askStatus(): void {
    let asked_at = 0;
    const hold = limits.holds.has_room;
    follow(
      hold ? limits.holds : limits.asks,
      () => {
        asked_at = clock.now();
        return client.status(handle as string, { ...callOptions, ...(hold && { wait_s }) });
      },
      ({ reading, waited, retryable, message }) => {
        if (over) return;
        strikes = 0;
        if (reading.status === "complete") return askOutput();
        if (reading.status === "failed") {
          return fail({
            error: errorText(reading.error),
            failure: retryable ? "lost" : "failed",
            answered: true,
          });
        }
        const news = tellProgress(reading.progress, message);
        if (news) pause_ms = firstPause_ms;
        if (waited && (news || clock.now() - asked_at >= shortestWait_ms)) return askStatus();
        sleep(pause_ms, askStatus);
        pause_ms = Math.min(pause_ms * 2, options.poll_interval_ms);
      },
      (thrown) => onPollFailure(thrown, askStatus),
    );
  }

  function askOutput(): void {
    follow(
      limits.asks,
      () => client.output(handle as string, callOptions),
      (output) => {
        if (!over) complete(output);
      },
      (thrown) => onPollFailure(thrown, askOutput),
    );
  }

  /** The task goes on at the service whether or not one question got through: ask again before giving up. */
  function onPollFailure(thrown: unknown, again: () => void): void {
    const failure = toFailure(thrown, true);
    const transient = ["unreachable", "timeout", "unavailable"].includes(failure.failure);
    const delay = transient ? retryDelay(retry, ++strikes, failure, options.random()) : null;
    if (delay === null) fail(failure, thrown);
    else sleep(delay, again);
  }

  /** Reports progress when it went up (R-STAT-02). */
  function tellProgress(given: number | undefined, message: string | undefined): boolean {
    const next = Math.min(Math.max(given ?? 0, 0), 100);
    if (next <= progress) return false;
    progress = next;
    if (given !== undefined) {
      report({ type: "progressed", progress, message: message === undefined ? null : guard.redact(message) });
    }
    return true;
  }

  function sleep(delay_ms: number, then: () => void): void {
    stopWaiting = clock.setTimer(delay_ms, then);
  }

  execute();
  return {
    id: () => handle ?? call.task_id,
    begun: () => begun,
    end() {
      over = true;
      stopWaiting?.();
    },
  };
}

function errorText(error: string | undefined): string {
  return error === undefined || error === "" ? "The service gave no error text (R-EXEC-10)" : error;
}
