import { defineCase } from "../../engine/case.ts";
import type { ReceivedReply } from "../../wire/exchange.ts";
import { shown } from "../prerequisites.ts";
import { guardedCall, isShut, realTask } from "./probe.ts";

export const noExistenceOracle = defineCase({
  id: "A07",
  slug: "auth/no-existence-oracle",
  profile: "auth",
  level: "SHOULD",
  because: "security",
  rules: ["R-AUTH-01", "R-AUTH-04"],
  needs: ["token"],
  holds: "Without a token, ids of tasks that exist are answered like those of tasks that do not",
  consequence: "Whoever reaches the service learns which workflows run on it.",
  fix: "Check the token before an id is looked up.",
  async run(t) {
    await guardedCall(t);
    const task = await realTask(t);
    for (const kind of ["status", "output"]) {
      const unknown = t.id("task");
      const ask = (id: string) => t.send({ path: `/control/${kind}/${id}`, token: null });
      const fake = await ask(unknown);
      const reply = t.replied(fake);
      t.check(isShut(reply), "E_EXISTENCE_ORACLE", {
        expected: `401 for the ${kind} of a task that does not exist, without a token`,
        found: shown(reply),
        at: fake,
      });
      for (const id of task?.ids ?? []) {
        const real = await ask(id);
        const told = t.replied(real);
        t.check(bareOf(told, id) === bareOf(reply, unknown), "E_EXISTENCE_ORACLE", {
          expected: `the ${kind} of a task that exists to be answered like one that does not: ${shown(reply)}`,
          found: shown(told),
          at: [fake, real],
        });
      }
    }
  },
});

/** What a caller can tell from a reply, without the id that it has sent itself. */
function bareOf({ status, headers, body }: ReceivedReply, id: string): string {
  const text = body.toString().replaceAll(id, "");
  // Ids of requests differ from call to call.
  const masked = text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}|\d{4}-\d\d-\d\dT[\d:.Z+-]+/gi, "");
  return JSON.stringify([status, headers["www-authenticate"], masked]);
}
