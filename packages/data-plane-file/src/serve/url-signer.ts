import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

/** What became of a URL that was to be checked. */
export type UrlVerdict = "valid" | "expired" | "invalid";

/** Signs the data URLs of one service. */
export interface UrlSigner {
  /**
   * Adds `?expires=...&signature=...` to a complete URL or to a path that begins with `/`. What is
   * signed is the path alone, as the service sees it in a request: behind a proxy that takes a
   * prefix away, sign the path first and put the prefix before it.
   *
   * @param expires_epoch_s from this second on the URL is expired
   * @throws TypeError for a URL that has a query or fragment already
   */
  sign(url_or_path: string, expires_epoch_s: number): string;
  /** Checks what came in, in the same time whatever the signature; other parameters do not count. */
  verify(pathname: string, search_params: URLSearchParams, now_ms: number): UrlVerdict;
}

/**
 * Signs and checks data URLs with HMAC-SHA256 over path and expiry (R-SIGN-01), under a key derived
 * from the service's own (R-SIGN-02), so that no signature says anything about that one.
 */
export function createUrlSigner(service_key: string): UrlSigner {
  if (service_key === "") throw new TypeError("Expected the service's key, got an empty text");
  const key = Buffer.from(hkdfSync("sha256", service_key, "", "aieffect: signed data URLs", 32));
  // The digits come first, so that no other pair of path and expiry makes the same text.
  const digest = (pathname: string, expires: string) =>
    createHmac("sha256", key).update(`${expires}\n${pathname}`).digest();

  return {
    sign(url_or_path, expires_epoch_s) {
      if (!Number.isSafeInteger(expires_epoch_s) || expires_epoch_s < 0) {
        throw new TypeError(`Expected the expiry in whole seconds since 1970, got ${expires_epoch_s}`);
      }
      const isPath = url_or_path.startsWith("/");
      const url = new URL(isPath ? `http://path${url_or_path}` : url_or_path);
      if (isPath && url.pathname.startsWith("//")) {
        throw new TypeError(`Expected a path, got ${url.pathname}, which begins like another host`);
      }
      if (/[?#]/.test(url_or_path)) {
        throw new TypeError(
          `Expected a URL without query and fragment, which would not be signed, got ${url.pathname} with one`,
        );
      }
      const expires = String(expires_epoch_s);
      const signature = digest(url.pathname, expires).toString("hex");
      return `${isPath ? url.pathname : url.href}?expires=${expires}&signature=${signature}`;
    },
    verify(pathname, search_params, now_ms) {
      const [expires = "", ...moreExpiries] = search_params.getAll("expires");
      const [signature = "", ...moreSignatures] = search_params.getAll("signature");
      if (moreExpiries.length > 0 || moreSignatures.length > 0) return "invalid";
      if (!/^\d{1,16}$/.test(expires) || !/^[\da-f]{64}$/.test(signature)) return "invalid";
      if (!timingSafeEqual(digest(pathname, expires), Buffer.from(signature, "hex"))) return "invalid";
      return now_ms < Number(expires) * 1000 ? "valid" : "expired";
    },
  };
}
