import { hash, timingSafeEqual } from "node:crypto";
import { ControlError } from "@aieffect/control-interface";
import { createUrlSigner, type UrlSigner } from "@aieffect/data-plane-file";
import type { Logger } from "pino";
import type { Secrets } from "../observability/redact.ts";
import { type ResolvedOptions, readKeyFile } from "../options.ts";

/** The keys that callers may use, all of them in force (R-AUTH-05). */
export interface ServiceKeys {
  /** Checks an Authorization header, in the same time whatever the token (R-AUTH-04). @throws ControlError `unauthorized` */
  authenticate(authorization: string | undefined): void;
  /** Signs with the first key. */
  sign: UrlSigner["sign"];
  /** Whether a URL was signed with any of them and has not expired. */
  isSigned(pathname: string, query: URLSearchParams): boolean;
}

/** What keys need of the service around them. */
interface KeysParts {
  options: Pick<ResolvedOptions, "api_keys" | "api_key_file" | "now">;
  log: Logger;
  secrets: Secrets;
}

/** One set of keys, made ready for use. */
interface KeySet {
  digests: readonly Buffer[];
  signers: readonly UrlSigner[];
}

/** The file of the keys is read no more often, in ms. */
const lookEvery_ms = 1000;

/**
 * The keys of a service; undefined where it has none and is open (R-AUTH-02). Where they come from a
 * file, a change of the file counts within a second, without a restart.
 */
export function createServiceKeys({ options, log, secrets }: KeysParts): ServiceKeys | undefined {
  if (options.api_keys.length === 0) return undefined;
  let keys = toKeySet(options.api_keys);
  let present = options.api_keys;

  function take(found: readonly string[]): void {
    if (found.join("\n") === present.join("\n")) return;
    secrets.add(found);
    keys = toKeySet(found);
    present = found;
    log.info({ file: options.api_key_file, keys: found.length }, "the keys have changed");
  }

  const refresh =
    options.api_key_file === undefined
      ? undefined
      : createRefresh(options.api_key_file, options.now, log, take);
  return {
    authenticate(authorization) {
      refresh?.();
      const token = /^bearer ([^\s].*)$/i.exec(authorization ?? "")?.[1];
      if (token !== undefined && isOneOf(digest(token), keys.digests)) return;
      throw new ControlError("unauthorized", "Unauthorized");
    },
    sign: (url_or_path, expires) => (keys.signers[0] as UrlSigner).sign(url_or_path, expires),
    isSigned(pathname, query) {
      refresh?.();
      const now = options.now();
      return keys.signers.filter((signer) => signer.verify(pathname, query, now) === "valid").length > 0;
    },
  };
}

function toKeySet(keys: readonly string[]): KeySet {
  return { digests: keys.map(digest), signers: keys.map(createUrlSigner) };
}

/** Compares with all of them, also after the right one. */
function isOneOf(found: Buffer, expected: readonly Buffer[]): boolean {
  return expected.filter((digest) => timingSafeEqual(digest, found)).length > 0;
}

/** Of equal length, so that the comparison tells nothing of the key's. */
function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

/**
 * Reads the file again, and takes its keys if it holds any. A file that cannot be read changes
 * nothing. It is small, and its times and size do not tell every change.
 */
function createRefresh(
  file: string,
  now: () => number,
  log: Logger,
  take: (keys: readonly string[]) => void,
): () => void {
  let looked_at = now();
  let said: string | undefined;
  return () => {
    const time = now();
    if (Math.abs(time - looked_at) < lookEvery_ms) return;
    looked_at = time;
    try {
      take(readKeyFile(file));
      said = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== said)
        log.warn({ err: error, file }, "the keys could not be read again and stay as they are");
      said = message;
    }
  };
}
