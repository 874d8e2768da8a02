import { hash, timingSafeEqual } from "node:crypto";
import { ControlError } from "@aieffect/control-interface";

/** Checks the Authorization header. @throws ControlError `unauthorized` */
export type Authenticate = (authorization: string | undefined) => void;

/** A check for one bearer key, in the same time whatever the token (R-AUTH-01, R-AUTH-04). */
export function createAuthenticate(key: string): Authenticate {
  const expected = digest(key);
  return (authorization) => {
    const token = /^bearer ([^\s].*)$/i.exec(authorization ?? "")?.[1];
    if (token !== undefined && timingSafeEqual(digest(token), expected)) return;
    throw new ControlError("unauthorized", "Unauthorized");
  };
}

/** Of equal length, so that the comparison tells nothing of the key's. */
function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
