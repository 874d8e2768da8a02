import { defineCase } from "../../engine/case.ts";
import { guardedCall, sendWith } from "./probe.ts";

export const challenge = defineCase({
  id: "A05",
  slug: "auth/challenge",
  profile: "auth",
  level: "SHOULD",
  because: "rfc",
  rules: ["R-AUTH-01"],
  needs: ["token"],
  holds: "A 401 carries `WWW-Authenticate: Bearer`",
  consequence: "Clients that wait for the challenge, as HTTP tells them to, never send the key.",
  fix: 'Add the header to every 401; in FastAPI: `HTTPException(401, headers={"WWW-Authenticate": "Bearer"})`.',
  async run(t) {
    const guarded = await guardedCall(t);
    const calls = [t.send({ ...guarded.call, token: null }), sendWith(t, guarded, "Bearer not-the-token")];
    let seen = 0;
    for (const exchange of await Promise.all(calls)) {
      const reply = t.replied(exchange);
      if (reply.status !== 401) continue;
      seen++;
      const given = reply.headers["www-authenticate"];
      t.check(/(?:^|,)\s*Bearer\b/i.test(given ?? ""), "E_NO_CHALLENGE", {
        expected: "WWW-Authenticate: Bearer with the 401",
        found: given ?? "no WWW-Authenticate",
        at: exchange,
      });
    }
    if (seen === 0) t.notApplicable(`the service refuses with ${guarded.closed.status} instead of 401`);
  },
});
