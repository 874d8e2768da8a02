import type { ReplyKind } from "@aieffect/control-interface";
import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { judge, readAs } from "../../engine/drive.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { optional } from "../optional.ts";
import { replyOr, shown } from "../prerequisites.ts";

export const noRedirect = defineCase({
  id: "C10",
  slug: "core/no-redirect",
  profile: "core",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-READ-02", "R-EXEC-04"],
  needs: [],
  holds: "The paths of the control interface are answered as they are, never with a redirect",
  consequence: "The deployed orchestrator does not follow redirects: the task fails at once.",
  fix: "Serve /control/execute, /control/status/{id} and /control/output/{id} without a trailing slash, over the scheme that is in the URL.",
  async run(t) {
    for (const [kind, exchange] of await calls(t)) {
      const reply = replyOr(t, exchange, "C02");
      // With a body that is a good answer the orchestrator does not mind.
      const isRead = judge(exchange, kind)?.accepted === true;
      t.check(reply.status < 300 || reply.status >= 400, "E_REDIRECT", {
        ...(isRead && { level: "SHOULD" as const }),
        expected: `no redirect of ${exchange.request.method} ${exchange.request.path}`,
        found: `${shown(reply)}, Location: ${reply.headers.location ?? "none"}`,
        at: exchange,
      });
    }
  },
});

async function calls(t: CaseContext): Promise<[ReplyKind, Exchange][]> {
  const sample = optional(() => t.sample());
  const body = { method: "NoSuchMethod", workflow_id: t.id("wf"), task_id: t.id("task"), inputs: [] };
  const execute =
    sample === undefined
      ? await t.send({ method: "POST", path: "/control/execute", body })
      : await t.execute(sample);
  const id = readAs(execute, "execute")?.task_id || t.id("task");
  return [
    ["execute", execute],
    ["status", await t.send({ path: `/control/status/${id}` })],
    ["output", await t.send({ path: `/control/output/${id}` })],
  ];
}
