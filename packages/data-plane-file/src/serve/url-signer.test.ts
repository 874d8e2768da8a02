import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createUrlSigner } from "../index.ts";

const signer = createUrlSigner("a key");
const now = 1_700_000_000_000;
const later = now / 1000 + 3600;
const check = (url: string, verifier = signer, at = now) => {
  const { pathname, searchParams } = new URL(url, "http://path");
  return verifier.verify(pathname, searchParams, at);
};

describe("a signed URL", () => {
  it("ends as R-SIGN-01 says and is valid until it expires", () => {
    for (const url of ["/control/data/abc", "http://loader:8080/control/data/abc"]) {
      const signed = signer.sign(url, later);
      expect(signed).toMatch(new RegExp(`^${url}\\?expires=${later}&signature=[0-9a-f]{64}$`));
      expect(check(signed)).toBe("valid");
      expect(check(signed, signer, later * 1000 - 1)).toBe("valid");
      expect(check(signed, signer, later * 1000)).toBe("expired");
    }
    expect(check(`${signer.sign("/a", later)}&more=1`)).toBe("valid");
  });

  it("is one service's alone", () => {
    expect(check(signer.sign("/a", later), createUrlSigner("another key"))).toBe("invalid");
    expect(check(signer.sign("/a", later), createUrlSigner("a key"))).toBe("valid");
  });

  it("is invalid when anything of it is missing or there twice", () => {
    const signed = signer.sign("/a", later);
    for (const url of [
      "/a",
      signed.replace(/&signature=.*/, ""),
      signed.replace(/expires=\d+&/, ""),
      `${signed}&expires=${later}`,
      `${signed}&signature=00`,
      signed.replace(/signature=.*/, "signature="),
    ]) {
      expect(check(url), url).toBe("invalid");
    }
  });

  it("is valid for any path, and invalid after any change of path, expiry or signature", () => {
    const path = fc.webPath().map((found) => `/control/data${found}`);
    const change = fc.record({
      part: fc.constantFrom(0, 1, 2),
      at: fc.nat(),
      to: fc.integer({ min: 0x21, max: 0x7e }),
    });
    fc.assert(
      fc.property(path, fc.integer({ min: 0, max: 4e9 }), change, (given, expires, { part, at, to }) => {
        const { pathname, searchParams } = new URL(signer.sign(given, expires), "http://path");
        expect(signer.verify(pathname, searchParams, 0)).toBe(expires === 0 ? "expired" : "valid");
        expect(signer.verify(pathname, searchParams, expires * 1000)).toBe("expired");
        const parts = [pathname, searchParams.get("expires"), searchParams.get("signature")] as [
          string,
          string,
          string,
        ];
        const old = parts[part] as string;
        const index = at % old.length;
        parts[part] = old.slice(0, index) + String.fromCharCode(to) + old.slice(index + 1);
        fc.pre(parts[part] !== old);
        const changed = new URLSearchParams({ expires: parts[1], signature: parts[2] });
        expect(signer.verify(parts[0], changed, 0)).toBe("invalid");
      }),
      { numRuns: 500 },
    );
  });
});

it("refuses what it could not vouch for", () => {
  for (const url of ["/a?b=c", "/a#b", "http://a/b?", "a/b", "//host/a", "/.//host", ""]) {
    expect(() => signer.sign(url, later), url).toThrow(TypeError);
  }
  for (const expires of [1.5, -1, Number.NaN]) expect(() => signer.sign("/a", expires)).toThrow(TypeError);
  expect(() => createUrlSigner("")).toThrow(TypeError);
});
