import { defineCase } from "../../engine/case.ts";
import { nameOf } from "../alone.ts";
import { executeReading, isRefusal, membersOf, needsToken, replyOr, shown } from "../prerequisites.ts";

export const outcomeExclusive = defineCase({
  id: "Q03",
  slug: "seq/outcome-exclusive",
  profile: "sequential",
  level: "MUST",
  because: "data",
  rules: ["R-EXEC-05", "R-EXEC-10"],
  needs: ["sample", "failing"],
  holds: "`complete` has no error, and `failed` has no output",
  consequence:
    "Who reads one field takes the task for done, who reads the other for broken; the orchestrator drops one of them in silence.",
  fix: "Leave `error` away (or null) with `complete`, and `output` with `failed`.",
  async run(t) {
    for (const sample of t.samples()) {
      const execute = await t.execute(sample);
      if (executeReading(t, execute).status !== "complete") continue;
      const reply = replyOr(t, execute, "C02");
      t.check(!membersOf(reply).error, "E_BOTH_OUTCOMES", {
        expected: `no error beside the complete of ${nameOf(sample)}`,
        found: shown(reply),
        at: execute,
      });
    }
    const failing = t.failing();
    const execute = await t.execute(failing);
    const reply = replyOr(t, execute, "C08");
    needsToken(t, reply);
    const { status, output } = membersOf(reply);
    if (status !== "failed" && !isRefusal(reply)) t.untestable(`${nameOf(failing)} did not fail : see C08`);
    t.check((output ?? null) === null, "E_BOTH_OUTCOMES", {
      expected: `no output beside the failed of ${nameOf(failing)}`,
      found: shown(reply),
      at: execute,
    });
  },
});
