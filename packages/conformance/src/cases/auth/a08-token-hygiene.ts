import { defineCase } from "../../engine/case.ts";
import { shown } from "../prerequisites.ts";
import { shownIn } from "../secrets.ts";
import { guardedCall, isLetIn, tokenOf, unknownMethodOf } from "./probe.ts";

export const tokenHygiene = defineCase({
  id: "A08",
  slug: "auth/token-hygiene",
  profile: "auth",
  level: "MUST",
  because: "security",
  rules: ["R-AUTH-01"],
  needs: ["token"],
  holds: "The token is never shown in a reply, and not taken out of a URL",
  consequence: "The key lies in logs of proxies, in browser histories and in error reports.",
  fix: "Read the key from the Authorization header alone, and keep headers and settings out of replies.",
  async run(t) {
    const token = tokenOf(t);
    const guarded = await guardedCall(t);
    for (const name of ["access_token", "token", "api_key", "key", "authorization"]) {
      const path = `${guarded.call.path}?${name}=${encodeURIComponent(token)}`;
      const exchange = await t.send({ ...guarded.call, path, token: null });
      const reply = t.replied(exchange);
      t.check(!isLetIn(reply, guarded), "E_QUERY_TOKEN", {
        expected: `401 for the token in ?${name}=`,
        found: shown(reply).replaceAll(token, "<token>"),
        at: exchange,
      });
    }
    const calls = [
      { path: `/control/status/${t.id("task")}` },
      { path: `/control/output/${t.id("task")}` },
      { path: `/control/${t.id("none")}` },
      { path: "/control/execute" },
      { method: "POST", path: "/control/execute", body: unknownMethodOf(t) },
      { method: "POST", path: "/control/execute", body: "{" },
      { path: guarded.call.path, token: `${token}x` },
      { path: guarded.call.path, token: null, headers: { authorization: `Basic ${token}` } },
    ];
    for (const call of calls) {
      const exchange = await t.send(call);
      const reply = t.replied(exchange);
      t.check(!shownIn(reply, token), "E_TOKEN_SHOWN", {
        expected: "replies without the token",
        found: shown(reply).replaceAll(token, "<token>"),
        at: exchange,
      });
    }
  },
});
