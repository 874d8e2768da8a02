import { defineCase } from "../../engine/case.ts";
import { nameOf } from "../alone.ts";
import { executeReading, shown } from "../prerequisites.ts";

export const hasOutput = defineCase({
  id: "Q02",
  slug: "seq/has-output",
  profile: "sequential",
  level: "MUST",
  because: "data",
  rules: ["R-EXEC-05", "R-EXEC-06", "R-RUN-07", "R-READ-08"],
  needs: ["sample"],
  holds: "`complete` carries the reference of an output, unless the method is declared a sink",
  consequence: "The orchestrator takes the task for done, and its successors start without an input.",
  fix: "Answer the reference of what was made; where there is nothing to hand on, declare `sink: true`.",
  async run(t) {
    for (const sample of t.samples()) {
      if (sample.sink) continue;
      const execute = await t.execute(sample);
      const { status, output } = executeReading(t, execute);
      if (status !== "complete") t.untestable(`${nameOf(sample)} answered ${status} : see C02 and Q01`);
      t.check(output !== undefined, "E_OUTPUT_MISSING", {
        expected: `an output of ${nameOf(sample)}`,
        found: execute.reply === undefined ? "" : shown(execute.reply),
        at: execute,
      });
    }
    if (t.samples().every(({ sink }) => sink)) t.notApplicable("every method of the manifest is a sink");
  },
});
