import { defineCase } from "../../engine/case.ts";
import { judge } from "../../engine/drive.ts";
import { endOf, nameOf } from "../alone.ts";
import { isRefusal, membersOf, needsToken, replyOr, shown } from "../prerequisites.ts";

export const failureIsString = defineCase({
  id: "C08",
  slug: "core/failure-is-string",
  profile: "core",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-EXEC-10", "R-EXEC-11", "R-READ-06"],
  needs: ["failing"],
  holds:
    "Work that breaks is answered as `failed` with a text that says why, and without an output, or with a 4xx",
  consequence:
    "The workflow goes on with a result that is none, or fails without anybody being told the reason.",
  fix: 'Catch what the method throws, and answer {"status":"failed","error":"<its message>"}.',
  async run(t) {
    const sample = t.failing();
    const execute = await t.execute(sample);
    const reply = replyOr(t, execute, "C02");
    needsToken(t, reply);
    const say = { expected: "`failed` with an error that is a text", found: shown(reply), at: execute };
    if (reply.status >= 500) return void t.check(false, "E_SERVER_ERROR", { ...say, level: "SHOULD" });
    if (isRefusal(reply)) return void t.check(true, "E_FAILURE_HIDDEN", say);
    const { status, error, output } = membersOf(reply);
    if (status === "running") {
      const run = await t.follow(sample, execute);
      t.require(run.end !== "complete", "E_FAILURE_HIDDEN", {
        expected: `${nameOf(sample)} to fail`,
        found: endOf(run),
        at: [execute, run.last],
      });
      if (run.end !== "failed") t.untestable(`${nameOf(sample)}: ${endOf(run)} : see T05 and T07`);
      return void t.check((run.error ?? "").trim() !== "", "E_ERROR_EMPTY", { ...say, at: run.last });
    }
    t.require(status !== "complete", "E_FAILURE_HIDDEN", { ...say, expected: `${nameOf(sample)} to fail` });
    if (status !== "failed") t.untestable(`the answer to execute is none of the three : see C05`);
    const isText = error === undefined || error === null || typeof error === "string";
    t.require(isText, "E_ERROR_NOT_TEXT", say);
    t.require(typeof error === "string" && error.trim() !== "", "E_ERROR_EMPTY", say);
    t.check(judge(execute, "execute")?.accepted === true, "E_REPLY_REFUSED", say);
    t.check((output ?? null) === null, "E_BOTH_OUTCOMES", { ...say, expected: "no output of what failed" });
  },
});
