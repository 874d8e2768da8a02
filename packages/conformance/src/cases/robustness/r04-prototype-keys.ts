import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Exchange } from "../../wire/exchange.ts";
import {
  excerpt,
  isRefusal,
  lightSample,
  plainRequest,
  post,
  requireAlive,
  requireRefusals,
  requireUnknownIds,
  withRaw,
  withstood,
  withstoodExecute,
} from "./probe.ts";

const names = ["__proto__", "constructor", "prototype", "toString", "valueOf", "hasOwnProperty"];
const marker = "conformancePolluted";

export const prototypeKeys = defineCase({
  id: "R04",
  slug: "rob/prototype-keys",
  profile: "robustness",
  level: "MUST",
  because: "security",
  rules: ["R-EXEC-13", "R-GEN-03", "R-STAT-04"],
  needs: [],
  holds: "`__proto__`, `constructor`, `toString` are names like any other, as method, member and id",
  consequence: "One request changes what all later requests are answered, or runs what is no method.",
  fix: "Keep methods and tasks in a Map (or a dict), and never merge a request into another object.",
  async run(t) {
    await requireRefusals(t);
    await requireUnknownIds(t);
    for (const name of names) {
      const exchange = await post(t, plainRequest(t, { method: name }));
      if (withstood(t, exchange, `the method ${name}`) === undefined) continue;
      t.check(isRefusal(exchange), "E_INJECTION", {
        expected: `method "${name}" to be refused like any unknown one`,
        found: excerpt(exchange.reply?.body ?? Buffer.alloc(0)),
        at: exchange,
      });
    }
    for (const word of ["status", "output"]) {
      for (const name of names) {
        const exchange = await t.send({ path: `/control/${word}/${name}` });
        const reply = withstood(t, exchange, `the id ${name}`);
        t.check(reply === undefined || reply.status >= 400, "E_INJECTION", {
          expected: `id "${name}" to be unknown`,
          found: `${reply?.status} ${excerpt(reply?.body ?? Buffer.alloc(0))}`,
          at: exchange,
        });
      }
    }
    await pollute(t);
    await requireAlive(t, "members with odd names");
  },
});

/** Members with such names are inert: nothing that comes later is answered otherwise. */
async function pollute(t: CaseContext): Promise<void> {
  const sample = lightSample(t);
  const alone = sample && (await calibrationOf(t, sample));
  const before = await post(t, "{}");
  const evil = `{"${marker}":"yes","method":"${sample?.method ?? "x"}","workflow_id":"w","task_id":"t","inputs":[],"status":"complete"}`;
  const wrapped = `{"__proto__":${evil},"constructor":{"prototype":${evil}}}`;
  const sent: Exchange[] = [];
  const request = sample ? t.requestOf(sample) : plainRequest(t);
  const parameters = { ...sample?.parameters };
  // Twice the same name in one object is no JSON that a serializer writes, so it is put together here.
  const bodies = {
    "members of parameters": withRaw(
      { ...request, parameters: { ...parameters, evil: "EVIL" } },
      { EVIL: wrapped },
    ),
    "names of parameters": withRaw({ ...request, parameters: "EVIL" }, { EVIL: wrapped }),
    "members of the request": `{"__proto__":${evil},${JSON.stringify(plainRequest(t)).slice(1)}`,
    "members of metadata": withRaw(
      plainRequest(t, { inputs: [{ protocol: "inline", uri: "e30=", format: "json", metadata: "EVIL" }] }),
      { EVIL: wrapped },
    ),
  };
  for (const [what, body] of Object.entries(bodies)) {
    const exchange = await post(t, body);
    sent.push(exchange);
    await withstoodExecute(t, exchange, `__proto__ among ${what}`);
  }
  const after = await post(t, "{}");
  const health = await t.send({ path: "/health", token: null });
  const unknown = await post(t, plainRequest(t));
  t.check(before.reply?.status === after.reply?.status && isRefusal(unknown), "E_POLLUTED", {
    expected: `an empty request to be answered ${before.reply?.status} as before`,
    found: `${after.reply?.status} ${excerpt(after.reply?.body ?? Buffer.alloc(0))}`,
    at: [...sent, after, unknown],
  });
  for (const exchange of [after, health, unknown]) {
    t.check(!exchange.reply?.body.includes(marker), "E_POLLUTED", {
      expected: "replies without the members that an earlier request had",
      found: excerpt(exchange.reply?.body ?? Buffer.alloc(0)),
      at: [...sent, exchange],
    });
  }
  if (sample === undefined || alone === undefined) return;
  const run = await t.run(sample);
  const { fingerprint, problem } = await t.outputOf(run);
  t.check(fingerprint === alone, "E_POLLUTED", {
    expected: `sample "${sample.name}" of ${sample.method} to have the output that it had before`,
    found: problem ?? "another output",
    at: [...sent, run.execute, run.last],
  });
}

/** A sample that cannot be compared is left out; the other checks do without it. */
async function calibrationOf(t: CaseContext, sample: Parameters<CaseContext["run"]>[0]) {
  const { fingerprint } = await t.outputOf(await t.run(sample));
  const again = await t.outputOf(await t.run(sample));
  return fingerprint === again.fingerprint ? fingerprint : undefined;
}
