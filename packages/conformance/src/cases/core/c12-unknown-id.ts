import { randomUUID } from "node:crypto";
import { defineCase } from "../../engine/case.ts";
import { needsToken, shown } from "../prerequisites.ts";

export const unknownId = defineCase({
  id: "C12",
  slug: "core/unknown-id",
  profile: "core",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-STAT-04", "R-OUT-03", "R-DATA-03"],
  needs: [],
  holds: "Status, output and data of an id that was never told answer 404",
  consequence:
    "A task that the service has lost seems to run for ever, or to be done, and the workflow waits or goes on with nothing.",
  fix: 'Look the id up, and answer 404 with {"detail":"Task not found"} where it is not known.',
  async run(t) {
    for (const id of [randomUUID(), t.id("task"), `${t.id("wf")}:task_1`]) {
      for (const kind of ["status", "output", "data"]) {
        const exchange = await t.send({ path: `/control/${kind}/${id}` });
        const reply = t.replied(exchange);
        if (kind !== "data") needsToken(t, reply);
        const say = { expected: `404 for the ${kind} of an unknown id`, found: shown(reply), at: exchange };
        if (reply.status >= 300 && reply.status < 400)
          t.untestable(`${kind} answered ${reply.status} : see C10`);
        if (!t.check(reply.status < 500, "E_SERVER_ERROR", say)) continue;
        if (!t.check(reply.status >= 400, "E_UNKNOWN_ID", say)) continue;
        // To the orchestrator every 4xx is the same; data may ask for a signature before anything else.
        t.check(reply.status === 404 || kind === "data", "E_UNEXPECTED_STATUS", { ...say, level: "SHOULD" });
      }
    }
  },
});
