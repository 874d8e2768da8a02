import { defineCase } from "../../engine/case.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { internalsIn } from "../leaks.ts";
import { plainRequest, post } from "./probe.ts";

/** Longer bodies are payloads. */
const longest = 2 ** 20;

export const noInternals = defineCase({
  id: "R11",
  slug: "rob/no-internals",
  profile: "robustness",
  level: "MUST",
  because: "security",
  rules: ["R-GEN-04", "R-EXEC-11"],
  needs: [],
  holds: "No reply of the run shows stack frames, paths of source files or the environment",
  consequence: "Whoever reaches the service learns its libraries, its folders and its keys.",
  fix: "Log errors in full and answer their message alone; run without debug mode.",
  async run(t) {
    await post(t, "{");
    await post(t, plainRequest(t, { inputs: "none", parameters: [] }));
    await post(t, plainRequest(t, { inputs: [{ protocol: "inline", uri: "%", format: "json" }] }));
    await post(t, plainRequest(t));
    await t.send({ path: "/control/execute" });
    await t.send({ path: `/control/${t.id("none")}` });
    await t.send({ path: `/control/output/${t.id("none")}%00` });
    for (const sample of t.samples()) {
      const inputs = [{ protocol: "inline", uri: "AP8=", format: "json" }];
      await t.run(sample, { override: { inputs, parameters: {} }, max_duration_ms: t.scaled(5000) });
    }
    for (const exchange of t.history.exchanges.filter(isControl)) {
      const body = exchange.reply?.body.toString() ?? "";
      const leak = internalsIn(body);
      const isEcho = leak !== undefined && exchange.request.body.includes(leak.shown);
      t.check(leak === undefined || isEcho, "E_INTERNALS", {
        expected: "replies that show nothing of the inside",
        found: `${leak?.what}: ${leak?.shown}`,
        at: exchange,
      });
    }
  },
});

/** Replies of the service itself; payloads may have whatever they have. */
function isControl({ reply, request }: Exchange): boolean {
  if (reply === undefined || reply.body.length > longest) return false;
  if (reply.status >= 400) return true;
  return /\/(?:control\/(?!data\/)|health\b)/.test(request.path) && !/^https?:/i.test(request.path);
}
