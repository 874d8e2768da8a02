import { defineCase } from "../../engine/case.ts";
import { shown } from "../prerequisites.ts";
import { guardedCall, sendWith, tokenOf } from "./probe.ts";

export const schemeCase = defineCase({
  id: "A04",
  slug: "auth/scheme-case",
  profile: "auth",
  level: "SHOULD",
  because: "rfc",
  rules: ["R-AUTH-01"],
  needs: ["token"],
  holds: "The word Bearer is understood in lower and upper case",
  consequence: "Clients and proxies that write `bearer`, as HTTP allows, are refused with the right key.",
  fix: "Compare the scheme without regard to case; the token itself with regard to it.",
  async run(t) {
    const token = tokenOf(t);
    const guarded = await guardedCall(t);
    for (const scheme of ["bearer", "BEARER"]) {
      const exchange = await sendWith(t, guarded, `${scheme} ${token}`);
      const reply = t.replied(exchange);
      t.check(reply.status === guarded.open.status, "E_SCHEME_CASE", {
        expected: `${guarded.open.status} for \`${scheme} <key>\`, as for \`Bearer <key>\``,
        found: shown(reply),
        at: exchange,
      });
    }
  },
});
