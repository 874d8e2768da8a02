import { defineCase } from "../../engine/case.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { shown } from "../prerequisites.ts";

export const no5xx = defineCase({
  id: "W3",
  slug: "monitor/no-5xx",
  profile: "core",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-EXEC-11", "R-EXEC-15", "R-READ-01"],
  needs: [],
  holds:
    "No call of the whole run is answered with a 5xx, but where a case allows it and where a queue is full",
  consequence: "The orchestrator fails the task at once and does not try again.",
  fix: "Look at the reply that is shown, and into the service's log for the exception behind it.",
  turn: "last",
  async run(t) {
    const replies = t.history.exchanges.filter(({ reply }) => reply !== undefined);
    if (replies.length === 0) t.untestable("nothing was answered in this run");
    const broken = replies.find(isServerError);
    t.check(broken === undefined, "E_SERVER_ERROR", {
      expected: `no 5xx for ${broken?.request.method} ${broken?.request.path.slice(0, 200)}${broken?.case_id ? ` (${broken.case_id})` : ""}`,
      found: broken?.reply === undefined ? "" : shown(broken.reply),
      at: broken,
    });
  },
});

function isServerError({ reply, may_be_5xx }: Exchange): boolean {
  if (reply === undefined || reply.status < 500 || may_be_5xx === true) return false;
  // A full queue says when to come back (R-EXEC-15).
  return !(reply.status === 503 && reply.headers["retry-after"] !== undefined);
}
