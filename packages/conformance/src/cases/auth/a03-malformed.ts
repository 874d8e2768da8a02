import { defineCase } from "../../engine/case.ts";
import { shown } from "../prerequisites.ts";
import { guardedCall, isLetIn, isShut, sendWith, tokenOf } from "./probe.ts";

export const malformed = defineCase({
  id: "A03",
  slug: "auth/malformed",
  profile: "auth",
  level: "MUST",
  because: "security",
  rules: ["R-AUTH-01"],
  needs: ["token"],
  holds:
    "An Authorization header of another form (no token, no scheme, Basic, two of them) is refused, and breaks nothing",
  consequence: "What a proxy in front has refused is let in by the service, or one odd header brings a 5xx.",
  fix: "Take exactly `Bearer <key>`; split the header only after its form is known.",
  async run(t) {
    const token = tokenOf(t);
    const guarded = await guardedCall(t);
    const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
    const wrong: [what: string, authorization: string | string[]][] = [
      ["the word Bearer alone", "Bearer"],
      ["the token without a scheme", token],
      ["the token behind Basic", `Basic ${token}`],
      ["the token as a password", basic(`user:${token}`)],
      ["the token as a user", basic(`${token}:`)],
      ["the token behind another scheme", `Token ${token}`],
      ["the scheme glued to the token", `Bearer${token}`],
      ["the scheme twice", `Bearer Bearer ${token}`],
      ["a comma", ","],
      // With the right one first, whoever sends it has the key.
      ["a wrong token and then the right one", ["Bearer not-the-token", `Bearer ${token}`]],
      ["a wrong token and the right one in one header", `Bearer not-the-token, Bearer ${token}`],
    ];
    for (const [what, authorization] of wrong) {
      const exchange = await sendWith(t, guarded, authorization);
      const reply = t.replied(exchange);
      const say = { expected: `400 or 401 for ${what}`, found: shown(reply), at: exchange };
      if (!t.check(reply.status < 500, "E_SERVER_ERROR", say)) continue;
      if (!t.check(!isLetIn(reply, guarded), "E_TOKEN_ACCEPTED", say)) continue;
      t.check(isShut(reply) || reply.status === 400, "E_UNEXPECTED_STATUS", { ...say, level: "SHOULD" });
    }
  },
});
