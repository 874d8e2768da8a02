import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { readAs } from "../../engine/drive.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { Disproof, disprove, type Effort, type FastCheck, loadFastCheck } from "./fuzz/disprove.ts";
import { type FuzzedRequest, fuzzedRequests, invalidity } from "./fuzz/requests.ts";
import { excerpt, isBusy, lightSample, noMethod, plainRequest, post, requireAlive } from "./probe.ts";

/** However slow the service or the machine is. */
const longest_ms = 6000;

export const fuzzShape = defineCase({
  id: "R12",
  slug: "rob/fuzz-shape",
  profile: "robustness",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-EXEC-11", "R-EXEC-12"],
  needs: [],
  holds: "Whatever JSON is sent to execute is answered, and with no 5xx; what is not valid is not worked on",
  consequence: "An input nobody thought of fails a workflow with an error that names nothing, or hangs it.",
  fix: "Check requests against a schema before anything else looks at them; turn what a handler throws into failed.",
  stochastic: true,
  destructive: true,
  async run(t) {
    const fc = await loadFastCheck();
    const sample = lightSample(t);
    const template = sample ? t.requestOf(sample) : plainRequest(t);
    const requests = fuzzedRequests(fc, template, noMethod);
    const effort: Effort = {
      runs: t.settings.fuzz_runs,
      time_ms: longest_ms,
      shrink_ms: t.scaled(10_000),
    };
    let isAnyWorkedOn = false;
    const { tried, counterexample } = await disprove(
      fc,
      t,
      requests,
      async (request) => {
        const exchange = await post(t, request);
        isAnyWorkedOn ||= isWorkedOn(request, exchange);
        const disproof = crashOf(request, exchange);
        if (disproof !== undefined) throw disproof;
      },
      effort,
    );
    const { disproof } = counterexample ?? {};
    if (counterexample !== undefined && disproof !== undefined) {
      // What was shrunk is sent once more: a request counts that does it again, by itself.
      const again = await post(t, counterexample.value);
      const confirmed = crashOf(counterexample.value, again);
      const { seed, path } = counterexample.replay;
      const say = {
        ...disproof.say,
        found: `${disproof.say.found}; the smallest request that does it: ${shown(counterexample.value)} (seed ${seed}, path ${path})`,
        at: [disproof.say.at, again].flat(),
        replay: counterexample.replay,
      };
      // A 5xx is one however often it comes; a connection that is cut once may be chance.
      if (confirmed === undefined && disproof.code !== "E_SERVER_ERROR") t.inconclusive(disproof.code, say);
      else t.check(false, disproof.code, say);
    } else {
      t.check(tried > 0, "E_SERVER_ERROR", { expected: "requests to be tried", found: "none were" });
    }
    if (isAnyWorkedOn) await reportWorkedOn(fc, t, requests, effort);
    await requireAlive(t, `${tried} random requests`);
  },
});

/** No answer, or one of the server's own failing. */
function crashOf(request: FuzzedRequest, exchange: Exchange): Disproof | undefined {
  const { reply, silence } = exchange;
  const expected = "an answer below 500 to any JSON";
  if (reply === undefined) {
    const code = silence?.kind === "timeout" ? "E_DEADLINE" : "E_NO_REPLY";
    return new Disproof(code, { expected, found: silence?.message ?? "nothing", at: exchange });
  }
  if (reply.status < 500 || isBusy(reply)) return undefined;
  const found = `${reply.status} ${excerpt(reply.body)} to a request that is ${invalidity(request) ?? "valid"}`;
  return new Disproof("E_SERVER_ERROR", { expected, found, at: exchange });
}

function isWorkedOn(request: FuzzedRequest, exchange: Exchange): boolean {
  const status = readAs(exchange, "execute")?.status;
  return invalidity(request) !== undefined && (status === "complete" || status === "running");
}

/** The smallest request that is not valid and was worked on all the same. */
async function reportWorkedOn(
  fc: FastCheck,
  t: CaseContext,
  requests: ReturnType<typeof fuzzedRequests>,
  effort: Effort,
): Promise<void> {
  const { counterexample } = await disprove(
    fc,
    t,
    requests,
    async (request) => {
      // Shrinking makes valid requests out of others: those say nothing here.
      fc.pre(invalidity(request) !== undefined);
      const exchange = await post(t, request);
      if (!isWorkedOn(request, exchange)) return;
      throw new Disproof("E_INVALID_ACCEPTED", {
        expected: "422 to a request that is not valid",
        found: excerpt(exchange.reply?.body ?? Buffer.alloc(0)),
        at: exchange,
      });
    },
    effort,
  );
  const why = counterexample && invalidity(counterexample.value);
  if (counterexample === undefined || why === undefined) return;
  const { disproof, replay, value } = counterexample;
  t.check(false, disproof.code, {
    ...disproof.say,
    level: "SHOULD",
    found: `${disproof.say.found} although ${why}: ${shown(value)} (seed ${replay.seed}, path ${replay.path})`,
    replay,
  });
}

function shown(request: FuzzedRequest): string {
  const text = JSON.stringify(request);
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}
