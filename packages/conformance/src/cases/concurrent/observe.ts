import { isHandle } from "@aieffect/control-interface";
import type { CaseContext } from "../../engine/context.ts";
import { type DriveOptions, readAs } from "../../engine/drive.ts";
import { watchQuiet } from "../../engine/lag.ts";
import type { Sample } from "../../target/sample.ts";
import type { Exchange } from "../../wire/exchange.ts";

/** An execution that goes on in the background, or why there is none. */
export type Begun = { execute: Exchange } & (
  | { handle: string; problem?: undefined }
  | { handle?: undefined; problem: string }
);

/** What was seen of a background task. */
export interface Observation {
  sample: Sample;
  execute: Exchange;
  handle: string;
  /** All of them, also those that the orchestrator would not have taken. */
  polls: readonly Exchange[];
  /** `lost`: status refused to answer for long, or not at all. */
  end: "complete" | "failed" | "stuck" | "lost";
  /** The poll that told the end first. */
  ended: Exchange | undefined;
  /** The output, fetched in the same tick. */
  output: Exchange | undefined;
  /** From the answer to execute to the end, or to giving up. */
  took_ms: number;
}

/** How a task is observed. */
export interface ObserveOptions {
  /** @default the harness's poll interval */
  interval_ms?: number;
  /** @default what the sample may take */
  longest_ms?: number;
  /** Fetch the output once it is complete. @default false */
  output?: boolean;
  /** Called after every poll. */
  onPoll?: (poll: Exchange) => Promise<void> | void;
}

/** Starts a task whose handle can be used; never ends the case. */
export async function begin(t: CaseContext, sample: Sample, options?: DriveOptions): Promise<Begun> {
  return readBegun(sample, await t.execute(sample, options));
}

/** What an answer to execute came to. */
export function readBegun({ name, method }: Sample, execute: Exchange): Begun {
  const problem = (text: string) => ({ execute, problem: `sample "${name}" of ${method}: ${text}` });
  const { reply, silence } = execute;
  if (reply === undefined) return problem(`execute got no reply (${silence?.message}): see T01`);
  if (reply.status >= 400) return problem(`execute was refused with ${reply.status}: see T01`);
  const reading = readAs(execute, "execute");
  if (reading === undefined) return problem("the answer to execute is not acceptable: see T01");
  if (reading.status !== "running") {
    return problem(
      `execute answered ${reading.status} instead of running; give one that works in the background`,
    );
  }
  if (!reading.task_id) return problem("running was answered without a handle: see T01");
  if (!isHandle(reading.task_id)) return problem("its handle cannot be pasted into a path: see T02");
  return { execute, handle: reading.task_id };
}

/** How long a task of the sample may take, in this run's time. */
export function longestOf(t: CaseContext, { max_duration_ms }: Sample): number {
  // A busy machine makes short times longer by more than their share.
  return Math.max(t.scaled(max_duration_ms), 1500);
}

/** The status word of a poll, also of one that is wrong in other points. */
export function wordOf(poll: Exchange): string | undefined {
  if (poll.reply === undefined || poll.reply.status >= 400) return undefined;
  const reading = readAs(poll, "status");
  if (reading !== undefined) return reading.status;
  try {
    const { status } = JSON.parse(poll.reply.body.toString());
    return typeof status === "string" ? status : "";
  } catch {
    // Whoever judges the reply says so.
    return "";
  }
}

/** Polls to the end, whatever the replies look like; never ends the case. */
export async function observe(
  t: CaseContext,
  sample: Sample,
  { execute, handle }: { execute: Exchange; handle: string },
  options: ObserveOptions = {},
): Promise<Observation> {
  const { interval_ms = t.settings.poll_interval_ms, longest_ms = longestOf(t, sample) } = options;
  const began = performance.now();
  const polls: Exchange[] = [];
  let unknownSince: number | undefined;
  let deadline = began + longest_ms;
  let quietOf: ReturnType<typeof watchQuiet> | undefined;
  const over = (end: Observation["end"], ended?: Exchange, output?: Exchange): Observation => ({
    sample,
    execute,
    handle,
    polls,
    end,
    ended,
    output,
    took_ms: performance.now() - began,
  });
  for (;;) {
    const poll = await t.status(handle);
    polls.push(poll);
    const word = wordOf(poll);
    if (word === "complete") return over(word, poll, options.output ? await t.output(handle) : undefined);
    if (word === "failed") return over(word, poll);
    await options.onPoll?.(poll);
    const now = performance.now();
    if (word !== undefined) unknownSince = undefined;
    else unknownSince ??= now;
    if (unknownSince !== undefined && now - unknownSince > t.scaled(5000)) return over("lost");
    if (now > deadline) {
      // A last grace; where the machine was too busy for it, a longer one.
      const isLast = quietOf?.().quiet ?? false;
      if (isLast || now - began > 3 * longest_ms) return over("stuck");
      deadline = now + longest_ms * (quietOf === undefined ? 0.2 : 2);
      quietOf = watchQuiet();
    }
    await new Promise((resolve) => setTimeout(resolve, interval_ms));
  }
}
