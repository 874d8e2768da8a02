import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Run } from "../../engine/drive.ts";
import { watchQuiet } from "../../engine/lag.ts";
import type { FixtureFault } from "../../target/fixture-host.ts";
import { type HostedRun, httpMethods } from "./http-methods.ts";
import { inputsOf, judgeRefusal, mediaType, withFirstInput } from "./inputs.ts";

const faults: Record<FixtureFault, string> = {
  "404": "an input whose URL answers 404",
  "500": "an input whose URL answers 500",
  reset: "an input whose connection is reset half-way",
  stall: "an input whose body never comes",
  truncated: "an input that is shorter than its Content-Length",
  "redirect-loop": "an input whose URL redirects to itself",
  oversize: "an input without end",
};

export const httpInputFaults = defineCase({
  id: "D08",
  slug: "data/http-input-faults",
  profile: "data-plane",
  level: "MUST",
  because: "data",
  rules: ["R-EXEC-10", "R-EXEC-11", "R-READ-11"],
  needs: ["sample", "fixtures"],
  holds:
    "An input that cannot be fetched whole (404, 500, reset, stalled, cut short, redirected for ever) fails the task, with an error, in time",
  consequence:
    "The workflow completes with a result of an error page or of half a file; or the task waits for an input that never comes, and the orchestrator with it.",
  fix: "Check the status (raise_for_status), give the call a timeout, compare the number of bytes with Content-Length, and set a limit to what is read; answer what went wrong as failed.",
  timing: true,
  turn: "late",
  async run(t) {
    const { taken } = await httpMethods(t);
    const usable = taken.filter(({ fetched }) => fetched);
    if (usable.length === 0) t.untestable("no method fetched its input from a plain URL (see D07)");
    // Methods of one style share the code that fetches.
    const concurrent = usable.find(({ run }) => run.handle !== undefined);
    const sequential = usable.find(({ run }) => run.handle === undefined);
    for (const hosted of [sequential, concurrent]) if (hosted !== undefined) await judgeFaults(t, hosted);
  },
});

async function judgeFaults(t: CaseContext, { sample, bytes, run: plain }: HostedRun): Promise<void> {
  const { execute_budget_ms, timeout_ms } = t.settings;
  const isSequential = plain.handle === undefined;
  // The orchestrator gives up on one call; on a task that runs, never.
  const budget_ms = isSequential ? timeout_ms : t.scaled(Math.max(execute_budget_ms, sample.max_duration_ms));
  const format = String(inputsOf(t, sample)[0]?.format);
  const file = { bytes: bytes[0] ?? Buffer.alloc(0), media_type: mediaType(format) };
  await Promise.all(
    (Object.keys(faults) as FixtureFault[]).map(async (fault) => {
      const input = faults[fault];
      const once = () =>
        t.run(sample, {
          override: withFirstInput(t, sample, { protocol: "http", uri: t.fixtures.faultUrl(fault, file) }),
          max_duration_ms: budget_ms,
        });
      const isLate = ({ end, last }: Run) => end === "stuck" || last.silence?.kind === "timeout";
      const quietOf = watchQuiet();
      const first = await once();
      // Once more where it was the machine, perhaps.
      const run = isLate(first) && !quietOf().quiet ? await once() : first;
      const isInTime = t.check(!isLate(run), "E_DEADLINE", {
        // It may end one day; and the orchestrator asks without end.
        level: isSequential ? "MUST" : "SHOULD",
        expected: `an end within ${Math.round(budget_ms)} ms for ${input} (${sample.method})`,
        found: "none",
        at: [run.execute, run.last],
      });
      // Who can take so much may.
      if (!isInTime || (fault === "oversize" && run.end === "complete")) return;
      judgeRefusal(t, run, input);
    }),
  );
  t.replied(await t.send({ path: "/health", token: null }));
}
