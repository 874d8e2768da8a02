import { defineCase } from "../../engine/case.ts";
import { judge } from "../../engine/drive.ts";
import { codeOfRefusal } from "../codes-of-refusals.ts";
import { prepareWatch, watchOf } from "./watch.ts";

export const runningHasId = defineCase({
  id: "T01",
  slug: "conc/running-has-id",
  profile: "concurrent",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-EXEC-07", "R-EXEC-09", "R-READ-06", "R-READ-09"],
  needs: ["slow"],
  holds: "`running` carries the task_id to poll with: a text that is not empty",
  consequence:
    "Without it the orchestrator has nothing to poll with: the task stays running for ever, neither failed nor completed. A number fails it.",
  fix: 'Answer {"status":"running","task_id":"<handle>"}, the handle as a text.',
  prepare: prepareWatch,
  async run(t) {
    const { execute } = await watchOf(t);
    t.replied(execute);
    const verdict = judge(execute, "execute");
    const holds = verdict?.accepted === true && verdict.outcome !== "hangs";
    t.require(holds, codeOfRefusal(execute, verdict), {
      expected: "running, with a task_id that is a text and not empty",
      found: verdict?.why ?? "nothing",
      at: execute,
    });
    const status = verdict?.read_as?.status;
    if (status !== "running") {
      return t.untestable(
        `sample "slow" answered ${status} instead of running; correct it, or say mode: sequential for its method`,
      );
    }
  },
});
