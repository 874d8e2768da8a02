import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Sample } from "../../target/sample.ts";
import { commandSequences, type Expected, type Session } from "./fuzz/commands.ts";
import { disprove, loadFastCheck } from "./fuzz/disprove.ts";
import { Ledger } from "./fuzz/ledger.ts";

/** However slow the service or the machine is. */
const longest_ms = 12_000;

export const fuzzModel = defineCase({
  id: "R13",
  slug: "rob/fuzz-model",
  profile: "robustness",
  level: "MUST",
  because: "data",
  rules: ["R-STAT-05", "R-RUN-04", "R-OUT-04", "R-IDEM-05"],
  needs: ["slow"],
  holds: "Random sequences of execute, status and output are answered as one history of every task explains",
  consequence:
    "In some order of calls, which production will find, a workflow is given a state or a result that is not its own.",
  fix: "Keep every execution under a random handle of its own; let nothing change it once it is complete or failed.",
  stochastic: true,
  destructive: true,
  turn: "late",
  async run(t) {
    const fc = await loadFastCheck();
    const expected = await expectedOf(t);
    // Of all sequences: the service forgets nothing between them, so neither may the model.
    const ledger = new Ledger();
    const [path, replayPath] = (t.settings.fuzz_path ?? "").split("|");
    const told: Session["told"] = [];
    const { tried, counterexample } = await disprove(
      fc,
      path === "" ? t : { ...t, settings: { ...t.settings, ...(path && { fuzz_path: path }) } },
      commandSequences(fc, replayPath),
      async (commands) => {
        const session: Session = { t, ledger, expected, name: t.id("fuzz"), told: [], calls: [] };
        await fc.asyncModelRun(() => ({ model: { pairs: new Set<number>() }, real: session }), commands);
        told.push(...session.told);
      },
      {
        runs: Math.max(4, Math.ceil(t.settings.fuzz_runs / 15)),
        time_ms: longest_ms,
        shrink_ms: t.scaled(10_000),
      },
    );
    if (counterexample === undefined) {
      t.check(tried > 0, "E_CONTRADICTION", { expected: "sequences to be tried", found: "none were" });
      return;
    }
    const { disproof, replay, text } = counterexample;
    const inside = /replayPath="([^"]*)"/.exec(text)?.[1];
    const whole = { ...replay, path: inside === undefined ? replay.path : `${replay.path}|${inside}` };
    t.check(false, disproof.code, {
      ...disproof.say,
      found: `${disproof.say.found}, after ${text.replace(/\s*\/\*.*\*\/$/, "")} (seed ${whole.seed}, path ${whole.path})`,
      replay: whole,
    });
  },
});

/** Concurrent samples that behave when they run alone; the others' faults are those of other cases. */
async function expectedOf(t: CaseContext): Promise<Expected[]> {
  const slow = t.slow();
  const quick = t.all_samples.filter(
    ({ mode, at_least_ms, method }) => mode === "concurrent" && at_least_ms < 2000 && method === slow.method,
  );
  const found: Expected[] = [];
  for (const sample of quick.length > 0 ? quick.slice(0, 3) : [slow]) {
    const expected = await aloneOf(t, sample);
    if (expected !== undefined) found.push(expected);
  }
  if (found.length === 0) {
    t.untestable(`no concurrent sample of ${slow.method} ends as it should when it runs alone: see T07`);
  }
  return found;
}

async function aloneOf(t: CaseContext, sample: Sample): Promise<Expected | undefined> {
  const runs = [await t.run(sample), await t.run(sample)];
  if (runs.some(({ end }) => end !== sample.expect)) return undefined;
  const [one, other] = await Promise.all(runs.map((run) => t.outputOf(run)));
  // Outputs that differ by nature are not compared.
  return { sample, fingerprint: one?.fingerprint === other?.fingerprint ? one?.fingerprint : undefined };
}
