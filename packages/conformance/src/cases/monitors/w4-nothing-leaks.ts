import { defineCase } from "../../engine/case.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { internalsIn } from "../leaks.ts";
import { secretsOf, shownIn } from "../secrets.ts";

/** Longer bodies are payloads. */
const longest = 2 ** 20;

export const nothingLeaks = defineCase({
  id: "W4",
  slug: "monitor/nothing-leaks",
  profile: "core",
  level: "MUST",
  because: "security",
  rules: ["R-GEN-04", "R-EXEC-11"],
  needs: [],
  holds:
    "No reply of the whole run has in it the token, a value of the environment that the service was given, or frames of a stack",
  consequence: "Whoever reads a result, an error text or a log learns keys and the inside of the service.",
  fix: "Log errors in full and answer their message alone; keep settings and headers out of replies.",
  turn: "last",
  async run(t) {
    const replies = t.history.exchanges.filter(({ reply }) => reply !== undefined);
    if (replies.length === 0) t.untestable("nothing was answered in this run");
    const secrets: [name: string, value: string][] = secretsOf(t.spawned?.env ?? {});
    for (const exchange of replies) {
      const { reply } = exchange;
      if (reply === undefined) continue;
      const { path } = exchange.request;
      if (t.token !== undefined && shownIn(reply, t.token)) {
        return void t.check(false, "E_TOKEN_SHOWN", {
          expected: "no reply with the token in it",
          found: `it is in the answer to ${path.replaceAll(t.token, "<token>").slice(0, 200)}`,
          at: exchange,
        });
      }
      const secret = secrets.find(([, value]) => shownIn(reply, value) && !sent(exchange, value));
      if (secret !== undefined) {
        return void t.check(false, "E_SECRET_SHOWN", {
          expected: `no reply with the value of ${secret[0]} in it`,
          found: `it is in the answer to ${path.slice(0, 200)}`,
          at: exchange,
        });
      }
      const leak = isOwnText(exchange) ? internalsIn(reply.body.toString()) : undefined;
      const isLeak = leak !== undefined && !sent(exchange, leak.shown);
      t.require(!isLeak, "E_INTERNALS", {
        expected: "no reply with what is inside the service",
        found: `${leak?.what}: ${leak?.shown}`,
        at: exchange,
      });
    }
  },
});

/** What a caller has sent itself is no secret. */
function sent({ request }: Exchange, text: string): boolean {
  return request.body.includes(text) || request.path.includes(text);
}

/** Payloads may have in them whatever they have. */
function isOwnText({ request, reply }: Exchange): boolean {
  if (reply === undefined || reply.body.length > longest) return false;
  const isPayload =
    reply.status < 400 && (/\/control\/data\//.test(request.path) || /^https?:/i.test(request.path));
  return !isPayload;
}
