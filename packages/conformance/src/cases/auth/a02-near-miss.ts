import { defineCase } from "../../engine/case.ts";
import { shown } from "../prerequisites.ts";
import { guardedCall, isLetIn, isShut, sendWith, tokenOf } from "./probe.ts";

export const nearMiss = defineCase({
  id: "A02",
  slug: "auth/near-miss",
  profile: "auth",
  level: "MUST",
  because: "security",
  rules: ["R-AUTH-01", "R-AUTH-04"],
  needs: ["token"],
  holds:
    "Tokens that are nearly right (cut, longer, in the other case, padded, empty, of 64 KiB) are refused",
  consequence: "A key can be guessed piece by piece, or is none.",
  fix: "Compare the whole token in constant time (`hmac.compare_digest`, `crypto.timingSafeEqual` over hashes).",
  async run(t) {
    const token = tokenOf(t);
    const guarded = await guardedCall(t);
    const changed = token.replace(/[a-z]/gi, (c) =>
      c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase(),
    );
    const wrong: [what: string, token: string][] = [
      ["another token", "not-the-token"],
      ["the token without its last character", token.slice(0, -1)],
      ["the token without its first character", token.slice(1)],
      ["the first character of the token", token.slice(0, 1)],
      ["the token with a character more", `${token}x`],
      ["the token behind a character more", `x${token}`],
      ["the token in the other case", changed],
      ["the token, padded", `${token}=`],
      ["the token twice", `${token}${token}`],
      ["an empty token", ""],
    ];
    for (const [what, given] of wrong) {
      if (given === token) continue;
      const exchange = await sendWith(t, guarded, `Bearer ${given}`);
      const reply = t.replied(exchange);
      const say = { expected: `401 or 403 for ${what}`, found: shown(reply), at: exchange };
      if (!t.check(reply.status < 500, "E_SERVER_ERROR", say)) continue;
      if (!t.check(!isLetIn(reply, guarded), "E_TOKEN_ACCEPTED", say)) continue;
      // For an empty one, 400 says what is wrong with it.
      const isFine = isShut(reply) || (given === "" && reply.status === 400);
      t.check(isFine, "E_UNEXPECTED_STATUS", { ...say, level: "SHOULD" });
    }
    // Servers have limits for headers, and may close the connection.
    const huge = await sendWith(t, guarded, `Bearer ${"x".repeat(65_536)}`);
    if (huge.reply === undefined) {
      return void t.check(huge.silence?.kind !== "timeout", "E_DEADLINE", {
        expected: "a refusal of a token of 64 KiB",
        found: huge.silence?.message ?? "nothing",
        at: huge,
      });
    }
    const say = { expected: "a 4xx for a token of 64 KiB", found: shown(huge.reply), at: huge };
    if (t.check(huge.reply.status < 500, "E_SERVER_ERROR", say)) {
      t.check(!isLetIn(huge.reply, guarded), "E_TOKEN_ACCEPTED", say);
    }
  },
});
