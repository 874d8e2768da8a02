import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { optional } from "../optional.ts";
import { isFailedWithError, isRefusal, isServed, jsonOf, needsToken, shown } from "../prerequisites.ts";

/** A body that is not valid; with a task_id, that task must not come to be. */
interface Invalid {
  what: string;
  body: string;
  task_id?: string;
}

export const invalidRequest = defineCase({
  id: "C07",
  slug: "core/invalid-request",
  profile: "core",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-EXEC-01", "R-EXEC-02", "R-EXEC-12", "R-GEN-04"],
  needs: [],
  holds:
    "A request that is not valid (no JSON, no object, a field missing, empty or of the wrong type) is refused with a 4xx, and creates no task",
  consequence:
    "Tasks without a name that nobody can ask for, and 5xx that look like a fault of the service instead of the caller's.",
  fix: "Check the whole request before anything is done: method, workflow_id and task_id are texts that are not empty, inputs is a list, parameters an object; answer 422.",
  async run(t) {
    for (const invalid of invalidBodies(t)) {
      const exchange = await t.send({ method: "POST", path: "/control/execute", body: invalid.body });
      const reply = t.replied(exchange);
      needsToken(t, reply);
      const say = { expected: `a 4xx for a request with ${invalid.what}`, found: shown(reply), at: exchange };
      if (reply.status >= 300 && reply.status < 400)
        t.untestable(`execute answered ${reply.status} : see C10`);
      if (reply.status >= 500) t.check(false, "E_SERVER_ERROR", say);
      // To the orchestrator it is the same.
      else if (isFailedWithError(reply)) t.check(false, "E_INVALID_ACCEPTED", { ...say, level: "SHOULD" });
      else if (t.check(isRefusal(reply), "E_INVALID_ACCEPTED", say)) {
        t.check(jsonOf(reply) !== undefined, "E_NOT_JSON", {
          ...say,
          level: "SHOULD",
          expected: `a JSON body with the ${reply.status}, as in {"detail":"..."}`,
        });
        await leftNothing(t, invalid);
      }
    }
  },
});

async function leftNothing(t: CaseContext, { what, task_id }: Invalid): Promise<void> {
  if (task_id === undefined) return;
  const status = await t.send({ path: `/control/status/${task_id}` });
  const isThere = isServed(status);
  // A service that says so of every id is C12's.
  const isAnyThere = isThere && isServed(await t.send({ path: `/control/status/${t.id("task")}` }));
  t.check(!isThere || isAnyThere, "E_TASK_CREATED", {
    expected: `no task of a request with ${what}`,
    found: status.reply === undefined ? "" : shown(status.reply),
    at: status,
  });
}

function invalidBodies(t: CaseContext): Invalid[] {
  // Only a request that would be worked on otherwise shows that it is the fault that is refused.
  const sample = optional(() => t.sample());
  const [operation] = t.operations?.operations ?? [];
  const valid = (task_id: string): Record<string, unknown> =>
    sample === undefined
      ? { method: String(operation?.name ?? "NoSuchMethod"), workflow_id: t.id("wf"), task_id, inputs: [] }
      : t.requestOf(sample, { task_id });
  const changed = (what: string, change: Record<string, unknown>): Invalid => {
    const task_id = t.id("task");
    const members = Object.entries({ ...valid(task_id), ...change }).filter(
      ([, value]) => value !== undefined,
    );
    return {
      what,
      body: JSON.stringify(Object.fromEntries(members)),
      ...(!("task_id" in change) && { task_id }),
    };
  };
  return [
    ...["method", "workflow_id", "task_id"].flatMap((field) => [
      changed(`no ${field}`, { [field]: undefined }),
      changed(`an empty ${field}`, { [field]: "" }),
      changed(`a ${field} that is null`, { [field]: null }),
      changed(`a ${field} that is an object`, { [field]: { name: "x" } }),
    ]),
    changed("inputs that are a text", { inputs: "none" }),
    changed("an input that is a number", { inputs: [7] }),
    changed("an input without protocol and uri", { inputs: [{ format: "json" }] }),
    changed("parameters that are a text", { parameters: "none" }),
    { what: "a body that ends in the middle", body: "{" },
    { what: "a list as body", body: "[]" },
    { what: "a text as body", body: '""' },
    { what: "null as body", body: "null" },
    { what: "an empty body", body: "" },
  ];
}
