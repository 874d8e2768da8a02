import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { CallOptions } from "../../wire/send.ts";
import { isServed, shown } from "../prerequisites.ts";
import { isShut, realTask, unknownMethodOf } from "./probe.ts";
import { isUnguessable } from "./unguessable.ts";

export const missing = defineCase({
  id: "A01",
  slug: "auth/missing",
  profile: "auth",
  level: "MUST",
  because: "security",
  rules: ["R-AUTH-01", "R-AUTH-03", "R-SIGN-01"],
  needs: ["token"],
  holds:
    "Without a token execute, status and output answer 401, and so does data unless its URL cannot be guessed",
  consequence: "Whoever reaches the service runs work on it, and reads the results of others.",
  fix: "Check `Authorization: Bearer <key>` ahead of all routes below /control; sign the URLs of payloads that peers without a token fetch.",
  async run(t) {
    await isRefused(t, { method: "POST", path: "/control/execute", body: unknownMethodOf(t) });
    const task = await realTask(t);
    let readable = 0;
    for (const kind of ["status", "output"]) {
      for (const id of task?.ids ?? []) if (await isGuarded(t, `/control/${kind}/${id}`)) readable++;
    }
    if (task?.payload !== undefined) {
      const { uri, task_id } = task.payload;
      await isGuarded(t, `/control/data/${task_id}`);
      await isSigned(t, uri);
    }
    if (readable > 0) return;
    // Without a task that can be read, only a service that checks the token first shows that it does.
    for (const kind of ["status", "output"]) {
      const { reply } = await t.send({ path: `/control/${kind}/${t.id("task")}`, token: null });
      if (reply === undefined || !isShut(reply)) {
        t.untestable(
          `whether ${kind} asks for the token shows only with a task; add a sample of a concurrent method to conformance.yaml`,
        );
      }
      t.check(true, "E_OPEN", { expected: "", found: "" });
    }
  },
});

/** Whether there is something to be read with the token; it must not be there without. */
async function isGuarded(t: CaseContext, path: string): Promise<boolean> {
  const isThere = isServed(await t.send({ path }));
  // What is not answered with the token, either, shows nothing.
  if (isThere) await isRefused(t, { path });
  return isThere;
}

async function isRefused(t: CaseContext, call: CallOptions): Promise<void> {
  const open = t.replied(await t.send(call));
  if (isShut(open)) t.untestable(`the service answers ${open.status} to the token that was given; check it`);
  const exchange = await t.send({ ...call, token: null });
  const reply = t.replied(exchange);
  const say = {
    expected: `401 for ${call.method ?? "GET"} ${call.path} without a token`,
    found: shown(reply),
    at: exchange,
  };
  if (!t.check(reply.status < 500, "E_SERVER_ERROR", say)) return;
  const isOpen = reply.status < 300 || reply.status === open.status;
  if (!t.check(!isOpen, "E_OPEN", say)) return;
  // 403, or another refusal, is no hole.
  t.check(reply.status === 401, "E_UNEXPECTED_STATUS", { ...say, level: "SHOULD" });
}

/** A URL that a service hands out may work without a token where it cannot be guessed, and only whole. */
async function isSigned(t: CaseContext, uri: string): Promise<void> {
  const exchange = await t.fetch(uri, { token: null });
  const isOpen = isServed(exchange);
  t.check(!isOpen || isUnguessable(uri), "E_OPEN", {
    expected: `401 without a token, or a URL that cannot be guessed`,
    found: `200 for ${uri}`,
    at: exchange,
  });
  const bare = uri.split("?", 1)[0] ?? uri;
  if (!isOpen || bare === uri || isUnguessable(bare)) return;
  const stripped = await t.fetch(bare, { token: null });
  t.check(!isServed(stripped), "E_OPEN", {
    expected: "the payload's URL without its signature to be refused",
    found: `200 for ${bare}`,
    at: stripped,
  });
}
