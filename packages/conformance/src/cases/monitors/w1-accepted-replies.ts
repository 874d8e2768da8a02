import { defineCase } from "../../engine/case.ts";
import { judge } from "../../engine/drive.ts";
import { codeOfRefusal } from "../codes-of-refusals.ts";

export const acceptedReplies = defineCase({
  id: "W1",
  slug: "monitor/accepted-replies",
  profile: "core",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-RUN-10"],
  needs: ["sample"],
  holds:
    "Every 2xx and 3xx reply of the whole run to a valid call is one that the deployed orchestrator takes",
  consequence: "The orchestrator fails the task, or waits for it for ever.",
  fix: "Look at the reply that is shown, and at the case in which it came.",
  turn: "last",
  async run(t) {
    for (const exchange of t.history.exchanges) {
      const { kind, valid, reply } = exchange;
      if (!valid || kind === undefined || reply === undefined || reply.status >= 400) continue;
      const verdict = judge(exchange, kind);
      const holds = verdict?.accepted === true && verdict.outcome !== "hangs";
      t.require(holds, codeOfRefusal(exchange, verdict), {
        expected: `a reply to ${kind} that the orchestrator takes`,
        found: verdict?.why ?? "nothing",
        at: exchange,
      });
    }
  },
});
