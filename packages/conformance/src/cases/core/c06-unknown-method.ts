import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { ReceivedReply } from "../../wire/exchange.ts";
import { isFailedWithError, isRefusal, membersOf, needsToken, shown } from "../prerequisites.ts";

export const unknownMethod = defineCase({
  id: "C06",
  slug: "core/unknown-method",
  profile: "core",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-EXEC-13", "R-GEN-04"],
  needs: [],
  holds: "A method that the service does not have is refused: a 4xx, or `failed` with an error, and at once",
  consequence:
    "A misspelt method in a blueprint seems to work, or hangs the workflow, instead of being told to whoever wrote it.",
  fix: 'Look the method up first, and answer 400 with {"detail":"Unknown method: X"} where there is none.',
  async run(t) {
    const exchange = await t.send({
      method: "POST",
      path: "/control/execute",
      body: { method: `NoSuchMethod${t.id("")}`, workflow_id: t.id("wf"), task_id: t.id("task"), inputs: [] },
    });
    const reply = t.replied(exchange);
    needsToken(t, reply);
    const { status } = membersOf(reply);
    const say = { expected: "a 4xx, or `failed` with an error", found: shown(reply), at: exchange };
    t.require(reply.status < 500, "E_SERVER_ERROR", say);
    if (isRefusal(reply)) return isNoGap(t, reply);
    if (reply.status >= 300) t.untestable(`execute answered ${reply.status} : see C10`);
    const ran = status === "complete" || status === "running";
    t.require(!ran, "E_UNKNOWN_METHOD_RAN", say);
    if (status !== "failed") t.untestable(`the answer to execute is none of the three : see C05`);
    t.check(isFailedWithError(reply), "E_ERROR_EMPTY", say);
  },
});

/** A 404 or 405 may as well say that there is no such path at all. */
async function isNoGap(t: CaseContext, refusal: ReceivedReply): Promise<void> {
  const isServed = t.history.exchanges.some(
    ({ kind, reply }) => kind === "execute" && reply !== undefined && reply.status < 300,
  );
  if (!isServed && (refusal.status === 404 || refusal.status === 405)) {
    const path = `/control/${t.id("none")}`;
    const { reply } = await t.send({ method: "POST", path, body: {} });
    if (reply?.status === refusal.status && reply.body.equals(refusal.body)) {
      t.untestable(
        `POST /control/execute answers ${refusal.status} like a path that does not exist; check the URL, or add a sample to conformance.yaml`,
      );
    }
  }
  t.check(true, "E_UNKNOWN_METHOD_RAN", { expected: "", found: "" });
}
