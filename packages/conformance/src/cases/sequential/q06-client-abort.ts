import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { RawCall } from "../../wire/raw.ts";
import { requestHead } from "../../wire/raw.ts";
import { endOf, nameOf, runAlone } from "../alone.ts";

export const clientAbort = defineCase({
  id: "Q06",
  slug: "seq/client-abort",
  profile: "sequential",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-EXEC-04", "R-HEALTH-01"],
  needs: ["sample"],
  holds:
    "After ten callers that went away in the middle of a request or of a reply, the next call is answered as before",
  consequence:
    "One orchestrator that is restarted, or one timeout, and every task after it hangs or fails until the service is restarted.",
  fix: "Release locks in `finally`, give up nothing but the one call when its connection breaks, and catch errors of sockets.",
  stochastic: true,
  async run(t) {
    const sample = t.sample();
    const before = await runAlone(t, sample);
    if (before.end !== "complete") t.untestable(`${nameOf(sample)}: ${endOf(before)} : see C02`);
    const ask = () => t.send({ path: "/health", token: null, fresh: true });
    const wasHealthy = (await ask()).reply?.status === 200;
    for (const write of aborted(t)) {
      const { ended } = await t.raw({ write, abort: true, may_be_5xx: true });
      t.require(ended !== "refused", "E_AFTER_ABORT", {
        expected: "the service to go on listening after callers went away",
        found: "connection refused",
      });
    }
    const health = await ask();
    const after = await t.run(sample, { fresh: true });
    t.require(!wasHealthy || health.reply?.status === 200, "E_AFTER_ABORT", {
      expected: "200 for /health after callers went away",
      found: String(health.reply?.status ?? health.silence?.message),
      at: health,
    });
    t.require(after.end === "complete", "E_AFTER_ABORT", {
      expected: `${nameOf(sample)} to complete after callers went away`,
      found: endOf(after),
      at: [after.execute, after.last],
    });
    const [one, other] = [await t.outputOf(before), await t.outputOf(after)];
    if (one.fingerprint === other.fingerprint) return;
    const { fingerprint } = await t.calibrated(sample);
    t.check(other.fingerprint === fingerprint, "E_AFTER_ABORT", {
      expected: "the same output as before callers went away",
      found: other.problem ?? "another output",
      at: [after.execute, after.last],
    });
  },
});

/** What ten callers write before they are gone. */
function aborted(t: CaseContext): RawCall["write"][] {
  const whole = () => {
    const body = JSON.stringify(t.requestOf(t.sample()));
    const length = ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`];
    return { head: requestHead(t.base_url, "POST", "/control/execute", length, t.token), body };
  };
  const short_ms = t.scaled(20);
  const inHead = ({ head }: Whole) => [head.slice(0, head.length / 2), short_ms];
  const inBody = ({ head, body }: Whole) => [head, body.slice(0, body.length / 2), short_ms];
  const beforeReply = ({ head, body }: Whole) => [head + body];
  const duringWork = ({ head, body }: Whole) => [head + body, short_ms];
  const inReply = ({ head, body }: Whole) => [head + body, { bytes: 1 }];
  const ways = [inHead, inBody, beforeReply, duringWork, inReply];
  return [...ways, ...ways].map((way) => way(whole()));
}

type Whole = { head: string; body: string };
