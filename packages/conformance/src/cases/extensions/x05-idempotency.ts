import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { readAs } from "../../engine/drive.ts";
import type { Sample } from "../../target/sample.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { wordOf } from "../concurrent/observe.ts";
import { optional } from "../optional.ts";

export const idempotency = defineCase({
  id: "X05",
  slug: "ext/idempotency",
  profile: "extensions",
  level: "MUST",
  because: "data",
  rules: ["R-IDEM-01", "R-IDEM-02", "R-IDEM-03", "R-IDEM-04", "R-IDEM-05", "R-IDEM-06", "R-IDEM-07"],
  needs: ["sample"],
  extension: "idempotency",
  holds:
    "A call repeated with its Idempotency-Key gets the first answer; another body under it is 422; a call equal to one that still runs joins it; anything else is a new execution",
  consequence:
    "A caller that repeats a call whose answer it never got starts the work twice, or is handed somebody else's result.",
  fix: "Look in this order: key of this workflow_id and task_id, then an equal execution that runs, then start a new one with a new handle.",
  async run(t) {
    const samples = t.samples().filter(({ sink }) => !sink);
    const sample = samples.find(({ mode }) => mode === "concurrent") ?? samples[0] ?? t.sample();
    await afterTheEnd(t, sample);
    await ofAnother(t, sample);
    const slow = optional(() => t.slow());
    if (slow === undefined) t.note("what still runs could not be tested: there is no slow sample");
    else await whileItRuns(t, slow);
  },
});

const withKey = (key: string) => ({ "idempotency-key": key });

/** The ids of a new execution. */
const newIds = (t: CaseContext) => ({ workflow_id: t.id("wf"), task_id: t.id("task") });

async function afterTheEnd(t: CaseContext, sample: Sample): Promise<void> {
  const ids = newIds(t);
  const headers = withKey(t.id("key"));
  const first = await t.execute(sample, { ...ids, headers });
  const answer = answerOf(t, first);
  const run = await t.follow(sample, first);
  if (run.end !== "complete")
    return t.untestable(`sample "${sample.name}" of ${sample.method} ended ${run.end}`);

  const again = await t.execute(sample, { ...ids, headers });
  t.require(answerOf(t, again) === answer, "E_KEY_IGNORED", {
    expected: `the first answer again, after the end: ${answer.slice(0, 200)}`,
    found: again.reply?.body.toString().slice(0, 200) ?? "",
    at: [first, again],
  });
  // Equal after parsing: other order, other white space, what is default left out.
  const body = Object.entries(t.requestOf(sample, ids)).toReversed();
  const text = JSON.stringify(Object.fromEntries(body), null, 1);
  const same = await send(t, text, headers);
  t.require(same.reply?.status !== 422 && answerOf(t, same) === answer, "E_KEY_IGNORED", {
    expected: "the first answer again: the body is the same, written differently",
    found: same.reply?.body.toString().slice(0, 200) ?? "",
    at: [first, same],
  });
  const other = await send(t, { ...t.requestOf(sample, ids), parameters: { another: t.id() } }, headers);
  t.require(t.replied(other).status === 422, "E_KEY_REUSED", {
    expected: "422 for another body under a known key",
    found: `${other.reply?.status}`,
    at: [first, other],
  });
  if (run.handle === undefined) return;
  const next = await t.execute(sample, { ...ids, headers: withKey(t.id("key")) });
  t.require(readAs(next, "execute")?.task_id !== run.handle, "E_ATTACHED_TO_ENDED", {
    expected: "a new handle: the first execution has ended, and the key is new",
    found: `${run.handle} again`,
    at: [first, next],
  });
  const status = await t.status(run.handle);
  t.require(wordOf(status) === "complete", "E_REGRESSED", {
    expected: "complete under the first handle, as before",
    found: wordOf(status) ?? `${status.reply?.status}`,
    at: [first, next, status],
  });
}

/** The same key for another workflow, with another task and another body. */
async function ofAnother(t: CaseContext, sample: Sample): Promise<void> {
  const headers = withKey(t.id("key"));
  const [one, other] = optional(() => t.pair()) ?? [sample, sample];
  const runs = await Promise.all([one, other].map((each) => t.run(each, { ...newIds(t), headers })));
  const [first, second] = runs;
  if (first === undefined || second === undefined) return;
  const at = [first.execute, second.execute, second.last];
  t.require(t.replied(second.execute).status !== 422, "E_KEY_SCOPE", {
    expected: "an execution: the key was used by another workflow and another task",
    found: "422",
    at,
  });
  t.require(first.handle === undefined || first.handle !== second.handle, "E_KEY_SCOPE", {
    expected: "a handle of its own: the key was used by another workflow and another task",
    found: `${second.handle}, as the other`,
    at,
  });
  if (one === other) return;
  const [a, b] = await Promise.all(runs.map((run) => t.outputOf(run)));
  const alone = await t.calibrated(one);
  const otherAlone = await t.calibrated(other);
  if (alone.fingerprint === otherAlone.fingerprint) return;
  t.require(b?.fingerprint === undefined || b.fingerprint !== a?.fingerprint, "E_KEY_SCOPE", {
    expected: "the output of its own request",
    found: "that of the other workflow that used the key",
    at,
  });
}

async function whileItRuns(t: CaseContext, sample: Sample): Promise<void> {
  const ids = newIds(t);
  const headers = withKey(t.id("key"));
  const first = await t.execute(sample, { ...ids, headers });
  const handle = readAs(first, "execute")?.task_id;
  if (!handle) return t.untestable("the slow sample did not answer running: see T01");
  const stillRuns = async () => wordOf(await t.status(handle)) === "running";

  const again = await t.execute(sample, { ...ids, headers });
  if (!(await stillRuns())) return;
  t.require(readAs(again, "execute")?.task_id === handle, "E_KEY_IGNORED", {
    expected: `${handle} again, under the same key`,
    found: again.reply?.body.toString().slice(0, 200) ?? "",
    at: [first, again],
  });
  const joined = await t.execute(sample, ids);
  if (!(await stillRuns())) return;
  t.require(readAs(joined, "execute")?.task_id === handle, "E_NOT_ATTACHED", {
    expected: `${handle} again: an equal execution still runs`,
    found: joined.reply?.body.toString().slice(0, 200) ?? "",
    at: [first, joined],
  });
  t.check(/^true$/i.test(joined.reply?.headers["idempotency-replayed"] ?? ""), "E_NOT_ATTACHED", {
    level: "SHOULD",
    expected: "Idempotency-Replayed: true",
    found: joined.reply?.headers["idempotency-replayed"] ?? "none",
    at: joined,
  });
}

function send(t: CaseContext, body: unknown, headers: Record<string, string>): Promise<Exchange> {
  return t.send({ method: "POST", path: "/control/execute", body, headers });
}

/** What an answer told, in a form that can be compared: fields that the orchestrator does not read are left out. */
function answerOf(t: CaseContext, execute: Exchange): string {
  const { status, body } = t.replied(execute);
  const reading = readAs(execute, "execute");
  if (reading === undefined) return `${status} ${body.toString()}`;
  const { output, ...rest } = reading;
  // Its URL may be signed anew.
  const uri = output?.uri.replace(/^(https?:[^?]*)\?.*$/i, "$1");
  return JSON.stringify({ ...rest, ...(output && { output: { protocol: output.protocol, uri } }) });
}
