import { defineCase } from "../../engine/case.ts";
import { needsToken, shown } from "../prerequisites.ts";

export const methodAndPath = defineCase({
  id: "C11",
  slug: "core/method-and-path",
  profile: "core",
  level: "SHOULD",
  because: "rfc",
  rules: ["R-GEN-05"],
  needs: [],
  holds: "GET of /control/execute is 405 with Allow, an unknown path 404, and HEAD and OPTIONS no 5xx",
  consequence:
    "Whoever mistypes a path is told that all is well; crawlers and proxies that send HEAD start work or fill the log with errors.",
  fix: "Let the router of your framework answer: it knows 404, and 405 with Allow.",
  async run(t) {
    const get = await t.send({ path: "/control/execute" });
    const refused = t.replied(get);
    needsToken(t, refused);
    const is405 = t.check(refused.status === 405, "E_UNEXPECTED_STATUS", {
      expected: "405 for GET /control/execute",
      found: shown(refused),
      at: get,
    });
    if (is405) {
      t.check(/\bPOST\b/i.test(refused.headers.allow ?? ""), "E_ALLOW_MISSING", {
        expected: "Allow: POST with the 405",
        found: refused.headers.allow ?? "no Allow",
        at: get,
      });
    }
    for (const path of [`/control/${t.id("none")}`, `/${t.id("none")}`]) {
      const exchange = await t.send({ path });
      const reply = t.replied(exchange);
      t.check(reply.status === 404, "E_UNEXPECTED_STATUS", {
        expected: `404 for ${path}, which does not exist`,
        found: shown(reply),
        at: exchange,
      });
    }
    for (const method of ["HEAD", "OPTIONS"]) {
      for (const path of ["/health", "/control/execute", `/control/status/${t.id("task")}`]) {
        const exchange = await t.send({ method, path, may_be_5xx: true });
        const reply = t.replied(exchange);
        // 501 is how a server says that it does not know a method at all.
        t.check(reply.status < 500 || reply.status === 501, "E_SERVER_ERROR", {
          expected: `no 5xx for ${method} ${path}`,
          found: shown(reply),
          at: exchange,
        });
      }
    }
  },
});
