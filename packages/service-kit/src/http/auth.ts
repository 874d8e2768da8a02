import { hash, timingSafeEqual } from "node:crypto";
import { ControlError } from "@aieffect/control-interface";

/** Checks the Authorization header. @throws ControlError `unauthorized` */
export type Authenticate = (authorization: string | undefined) => void;

/** A check for bearer keys, in the same time whatever the token (R-AUTH-01, R-AUTH-04, R-AUTH-05). */
export function createAuthenticate(keys: readonly string[]): Authenticate {
  const expected = keys.map(digest);
  return (authorization) => {
    const token = /^bearer ([^\s].*)$/i.exec(authorization ?? "")?.[1];
    if (token !== undefined && isOneOf(digest(token), expected)) return;
    throw new ControlError("unauthorized", "Unauthorized");
  };
}

/** Compares with all of them, also after the right one. */
function isOneOf(found: Buffer, expected: readonly Buffer[]): boolean {
  return expected.filter((digest) => timingSafeEqual(digest, found)).length > 0;
}

/** Of equal length, so that the comparison tells nothing of the key's. */
function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
