import { createHash, timingSafeEqual } from "node:crypto";
import { ControlError } from "@aieffect/control-interface";
import type { RequestHandler } from "express";

/** Lets only requests with the key pass, before their body is read, and in the same time whatever they send. */
export function requireKey(api_key: string): RequestHandler {
  const expected = digest(api_key);
  return (req, _res, next) => {
    const [, given = ""] = /^bearer +(.*)$/i.exec(req.get("authorization") ?? "") ?? [];
    if (timingSafeEqual(digest(given), expected)) return next();
    next(new ControlError("unauthorized", "Unauthorized"));
  };
}

/** Digests have one length, so that comparing them tells nothing about the key's. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
