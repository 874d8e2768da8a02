import { defineCase } from "../../engine/case.ts";
import { judge } from "../../engine/drive.ts";
import { codeOfRefusal } from "../codes-of-refusals.ts";
import { needsToken, replyOr } from "../prerequisites.ts";

export const responseShape = defineCase({
  id: "C05",
  slug: "core/response-shape",
  profile: "core",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-READ-02", "R-READ-04", "R-READ-05", "R-READ-06", "R-EXEC-16"],
  needs: ["sample"],
  holds:
    "The answer to execute is one that the deployed orchestrator reads: a JSON object, one of the three words, an error that is a text",
  consequence:
    'The orchestrator answers "Invalid response" and fails the task, and with it the workflow; the real reason is lost.',
  fix: 'Answer {"status":"complete","output":{...}}, {"status":"running","task_id":"..."} or {"status":"failed","error":"..."}.',
  async run(t) {
    for (const sample of t.samples()) {
      const exchange = await t.execute(sample);
      const reply = replyOr(t, exchange, "C02");
      needsToken(t, reply);
      if (reply.status >= 400) t.untestable(`execute answered ${reply.status} : see C02`);
      if (reply.status >= 300) t.untestable(`execute answered ${reply.status} : see C10`);
      const verdict = judge(exchange, "execute");
      // What stands inside the reference, and the handle, are looked at by cases of their own (D01 to D03, T01).
      const others = verdict?.fields?.every((field) => /^(?:output|task_id)/.test(field)) ?? false;
      t.check(verdict?.accepted === true || others, codeOfRefusal(exchange, verdict), {
        expected: "a reply that the orchestrator takes",
        found: verdict?.why ?? "nothing",
        at: exchange,
      });
      const type = reply.headers["content-type"] ?? "none";
      t.check(/^application\/([\w.-]+\+)?json\b/i.test(type), "E_CONTENT_TYPE", {
        level: "SHOULD",
        expected: "Content-Type: application/json",
        found: type,
        at: exchange,
      });
    }
  },
});
