import { defineCase } from "../../engine/case.ts";
import type { Run } from "../../engine/drive.ts";
import { endOf, nameOf } from "../alone.ts";

export const repeatable = defineCase({
  id: "Q04",
  slug: "seq/repeatable",
  profile: "sequential",
  level: "SHOULD",
  because: "practice",
  rules: ["R-IDEM-04", "R-IDEM-05"],
  needs: ["sample"],
  holds: "The same workflow_id and task_id sent again is answered like the first time",
  consequence:
    "A workflow that is run again, or a caller that repeats a call whose answer was lost, fails although nothing is wrong.",
  fix: "Let a second call run again, or answer it with the first result; no 409, and no unique key that breaks.",
  async run(t) {
    for (const sample of t.samples()) {
      const ids = { workflow_id: t.id("wf"), task_id: t.id("task") };
      const first = await t.run(sample, ids);
      if (first.end !== "complete") t.untestable(`${nameOf(sample)}: ${endOf(first)} : see C02`);
      const second = await t.run(sample, ids);
      const say = {
        expected: `${nameOf(sample)} a second time, with the same ids, to be complete again`,
        found: endOf(second),
        at: [first.execute, second.execute],
      };
      const isBroken = (second.execute.reply?.status ?? 500) >= 500;
      t.require(second.end === "complete", isBroken ? "E_SERVER_ERROR" : "E_NOT_REPEATABLE", say);
      const outputOf = async (run: Run) => (await t.outputOf(run)).fingerprint;
      const [one, other] = [await outputOf(first), await outputOf(second)];
      if (one === other) continue;
      // Only where two runs of their own agree does a difference tell something.
      const { fingerprint } = await t.calibrated(sample);
      t.check(other === fingerprint, "E_WRONG_OUTPUT", { ...say, found: "another output" });
    }
  },
});
