import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { runAlone } from "../alone.ts";
import { isServed, shown } from "../prerequisites.ts";
import { guardedCall, isShut } from "./probe.ts";

export const beforeWork = defineCase({
  id: "A06",
  slug: "auth/before-work",
  profile: "auth",
  level: "MUST",
  because: "security",
  rules: ["R-AUTH-04"],
  needs: ["token", "sample"],
  holds: "Execute without the token creates nothing, and is refused before its body is looked at",
  consequence:
    "Whoever reaches the service runs work on it, although the answer says 401, and learns its models from the error texts.",
  fix: "Check the token ahead of validation and dispatch, in a middleware.",
  async run(t) {
    await guardedCall(t);
    await createsNothing(t);
    const invalid = JSON.stringify({ workflow_id: t.id("wf"), inputs: "none" });
    await isRefusedUnread(t, "a request that is not valid", invalid);
    // FastAPI reads JSON before its dependencies run: no hole, but a body of any size is read for anybody.
    await isRefusedUnread(t, "a body that is no JSON", "{", "SHOULD");
  },
});

async function createsNothing(t: CaseContext): Promise<void> {
  const background = t.samples().find(({ mode }) => mode === "concurrent");
  const sample = background ?? t.sample();
  const task_id = t.id("task");
  const body = t.requestOf(sample, { task_id });
  const exchange = await t.send({ method: "POST", path: "/control/execute", body, token: null });
  const reply = t.replied(exchange);
  const say = { expected: "401 for execute without a token", found: shown(reply), at: exchange };
  if (!isShut(reply)) t.untestable(`execute without a token answers ${reply.status} : see A01`);
  // Only where tasks can be asked for by the id that was sent is their absence a proof.
  const known = await runAlone(t, sample);
  const isObservable = isServed(await t.send({ path: `/control/status/${known.task_id}` }));
  if (!isObservable) {
    t.tell("E_TASK_CREATED", {
      expected: "a service that answers for the task_id it was sent, to see that there is no task",
      found: "404 for that of a task that ran; what was left behind cannot be seen",
    });
    return;
  }
  const status = await t.send({ path: `/control/status/${task_id}` });
  t.check(!isServed(status), "E_TASK_CREATED", {
    ...say,
    expected: "no task of a call without a token",
    found: status.reply === undefined ? "" : shown(status.reply),
    at: [exchange, status],
  });
}

async function isRefusedUnread(t: CaseContext, what: string, body: string, level?: "SHOULD"): Promise<void> {
  const exchange = await t.send({ method: "POST", path: "/control/execute", body, token: null });
  const reply = t.replied(exchange);
  t.check(isShut(reply), reply.status >= 500 ? "E_SERVER_ERROR" : "E_AUTH_LATE", {
    ...(level && { level }),
    expected: `401 for ${what} without a token`,
    found: shown(reply),
    at: exchange,
  });
}
