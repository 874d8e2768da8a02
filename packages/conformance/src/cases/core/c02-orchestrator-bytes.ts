import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { type Run, readAs } from "../../engine/drive.ts";
import type { Sample } from "../../target/sample.ts";
import { decoded } from "../../wire/content-coding.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { endOf, nameOf, runAlone } from "../alone.ts";
import { type HttpxRequest, httpxRequest, type JsonStyle } from "../httpx.ts";
import { needsToken, patience, shown } from "../prerequisites.ts";

/** The orchestrator's model of a reference, in its order. */
const referenceFields = [
  "protocol",
  "uri",
  "format",
  "schema_uri",
  "size_bytes",
  "checksum",
  "metadata",
] as const;

export const orchestratorBytes = defineCase({
  id: "C02",
  slug: "core/orchestrator-bytes",
  profile: "core",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-EXEC-01", "R-EXEC-02", "R-EXEC-03", "R-EXEC-04", "R-REF-14"],
  needs: ["sample"],
  holds:
    "The bytes that the deployed orchestrator sends are understood: no `parameters`, optional fields that are null, `metadata` that is {}, the headers of Python's httpx",
  consequence: "Every task that the orchestrator sends to this service fails at once.",
  fix: "Let `parameters` default to {}, take null for the optional fields of an input, and find out which field or header the error text names.",
  async run(t) {
    for (const [at, sample] of t.samples().entries()) {
      await understands(t, sample, "spaced");
      // Newer versions of the client write JSON another way.
      if (at === 0) await understands(t, sample, "compact");
    }
  },
});

async function understands(t: CaseContext, sample: Sample, style: JsonStyle): Promise<void> {
  const execute = await sendAsHttpx(t, {
    method: "POST",
    path: "/control/execute",
    body: requestOf(t, sample),
    style,
  });
  const reply = t.replied(execute);
  needsToken(t, reply);
  t.require(reply.status < 400, reply.status >= 500 ? "E_SERVER_ERROR" : "E_REFUSES_ORCHESTRATOR", {
    expected: `200 for ${nameOf(sample)} as the orchestrator sends it`,
    found: shown(reply),
    at: execute,
  });
  const follow = () => t.follow(sample, execute, { max_duration_ms: patience(t, sample) });
  const run = readAs(execute, "execute")?.task_id ? await t.beside(follow) : await follow();
  if (run.end === "failed") await isItsOwnFault(t, sample, run);
  else t.check(true, "E_REFUSES_ORCHESTRATOR", { expected: "", found: "" });
  if (run.handle === undefined) return;
  const path = `/control/status/${run.handle}`;
  const poll = await sendAsHttpx(t, { method: "GET", path, style });
  const isRefused = (poll.reply?.status ?? 500) >= 400;
  // A status that nobody gets is another case's subject (T04, T14).
  const isOnlyHere = isRefused && ((await t.status(run.handle)).reply?.status ?? 500) < 400;
  t.check(!isOnlyHere, "E_REFUSES_ORCHESTRATOR", {
    expected: "a poll with the headers of httpx to be answered like one without",
    found: poll.reply === undefined ? (poll.silence?.message ?? "no reply") : shown(poll.reply),
    at: poll,
  });
}

/** Tells a sample that cannot work as the orchestrator sends it from one that never works. */
async function isItsOwnFault(t: CaseContext, sample: Sample, asSent: Run): Promise<void> {
  const { parameters } = sample;
  const say = (found: string, other?: Exchange) => ({
    expected: `${nameOf(sample)} to complete`,
    found,
    at: [asSent.execute, asSent.last, other],
  });
  if (Object.keys(parameters ?? {}).length > 0) {
    const body = { ...requestOf(t, sample), parameters };
    const complete = await sendAsHttpx(t, { method: "POST", path: "/control/execute", body });
    // What the method needs is in its parameters: it says so in its error, as it may.
    if ((await t.follow(sample, complete)).end === "complete") {
      t.check(true, "E_REFUSES_ORCHESTRATOR", { expected: "", found: "" });
      return;
    }
  }
  const alone = await runAlone(t, sample);
  const other =
    alone.end === "complete" ? alone : await t.run(sample, { override: { inputs: withoutNulls(t, sample) } });
  const reason = `${endOf(asSent)}, although it completes where other bytes say the same`;
  t.require(other.end !== "complete", "E_REFUSES_ORCHESTRATOR", say(reason, other.execute));
  t.require(
    alone.end !== "failed" && alone.end !== "refused",
    "E_SAMPLE_FAILED",
    say(endOf(alone), alone.last),
  );
}

/** One call over a connection of its own, and its reply as httpx reads it. */
async function sendAsHttpx(t: CaseContext, request: HttpxRequest): Promise<Exchange> {
  const write = httpxRequest(t.base_url, { token: t.token, ...request });
  const { exchange } = await t.raw({ write, replies: 1 });
  return { ...exchange, reply: exchange.reply && decoded(exchange.reply) };
}

/** What the orchestrator's models make of a sample: no parameters, known fields alone, all of them. */
function requestOf(t: CaseContext, sample: Sample): Record<string, unknown> {
  const { method, workflow_id, task_id, inputs } = t.requestOf(sample);
  const references = (inputs as Record<string, unknown>[]).map((input) =>
    Object.fromEntries(referenceFields.map((field) => [field, input[field] ?? null])),
  );
  return { method, workflow_id, task_id, inputs: references };
}

function withoutNulls(t: CaseContext, sample: Sample): unknown {
  return (t.requestOf(sample).inputs as Record<string, unknown>[]).map((input) =>
    Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null)),
  );
}
