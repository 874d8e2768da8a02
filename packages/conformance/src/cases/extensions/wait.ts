import type { CaseContext } from "../../engine/context.ts";
import { readAs } from "../../engine/drive.ts";
import type { Sample } from "../../target/sample.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { begin } from "../concurrent/observe.ts";

/** So long a wait is at most (R-WAIT-01). */
export const cap_s = 25;

/** The header that asks for it. */
export const prefer = (seconds: number) => ({ prefer: `wait=${seconds}` });

/** A status call that waits. */
export function waitFor(
  t: CaseContext,
  handle: string,
  seconds: number,
  call: { fresh?: boolean; timeout_ms?: number; signal?: AbortSignal } = {},
): Promise<Exchange> {
  return t.send({
    path: `/control/status/${handle}`,
    headers: prefer(seconds),
    kind: "status",
    valid: true,
    ...call,
  });
}

/** What a wait waits for a change of. */
export function stateOf(exchange: Exchange): string | undefined {
  const reading = readAs(exchange, "status");
  return reading && `${reading.status} ${reading.progress ?? "-"}`;
}

/** How long a call took. */
export function tookOf({ sent_at, ended_at }: Exchange): number {
  return ended_at - sent_at;
}

/** The handle of a new task; ends the case as untestable where there is none. */
export async function start(t: CaseContext, sample: Sample, options: Parameters<typeof begin>[2] = {}) {
  const { handle, problem, execute } = await begin(t, sample, options);
  return { execute, handle: handle ?? t.untestable(problem ?? "no task could be started") };
}
