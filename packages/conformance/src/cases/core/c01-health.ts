import { defineCase } from "../../engine/case.ts";
import { jsonOf } from "../prerequisites.ts";

/** Well under what monitors and container engines allow. */
const budget_ms = 2000;

export const health = defineCase({
  id: "C01",
  slug: "core/health",
  profile: "core",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-HEALTH-01", "R-HEALTH-02"],
  needs: [],
  holds: "GET /health answers 200 with JSON, within 2 s, without a token, every time",
  consequence:
    "Compose files, monitors and the portal take a service for dead that is not, and restart it in the middle of its work.",
  fix: 'Answer GET /health with 200 and {"status":"ok"}, from nothing that can block, and leave it out of the authentication.',
  timing: true,
  async run(t) {
    for (let again = 0; again < 3; again++) {
      const exchange = await t.timed(
        budget_ms,
        "E_DEADLINE",
        (took) => ({
          expected: `an answer within ${budget_ms} ms`,
          found: `none after ${Math.round(took)} ms`,
        }),
        () =>
          t.send({
            path: "/health",
            token: null,
            timeout_ms: Math.min(t.settings.timeout_ms, 2.5 * budget_ms),
          }),
      );
      const reply = t.replied(exchange);
      t.require(reply.status === 200, "E_HEALTH_STATUS", {
        expected: "200",
        found: `${reply.status}`,
        at: exchange,
      });
      // Whoever asks looks at the status alone.
      t.check(jsonOf(reply) !== undefined, "E_NOT_JSON", {
        level: "SHOULD",
        expected: 'a JSON body, as in {"status":"ok"}',
        found: reply.body.toString().slice(0, 100) || "an empty body",
        at: exchange,
      });
    }
  },
});
