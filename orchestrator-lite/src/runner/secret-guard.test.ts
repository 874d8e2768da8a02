import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSecretGuard } from "./secret-guard.ts";

const keys = fc.string({
  minLength: 8,
  maxLength: 60,
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
});

describe("createSecretGuard", () => {
  it("leaves no piece of 8 characters of the key's beginning, wherever the text is cut", () => {
    fc.assert(
      fc.property(keys, fc.string(), fc.string(), fc.nat(80), (key, before, after, cut) => {
        const text = `${before}${key}`.slice(0, before.length + cut) + (cut >= key.length ? after : "");
        const piece = key.slice(0, 8);
        // What surrounds the key may spell a piece of it by accident.
        fc.pre(!"[redacted]".includes(piece) && !before.includes(piece) && !after.includes(piece));
        expect(createSecretGuard(key).redact(text)).not.toContain(piece);
      }),
    );
  });

  it.each([
    ["plainly", "k&y/with+signs=1", (key: string) => key],
    ["in a URL", "k&y/with+signs=1", encodeURIComponent],
    ["in JSON", 'quoted"and\\slashed', (key: string) => JSON.stringify(key)],
    ["in base64", "some-secret-key", (key: string) => Buffer.from(key).toString("base64")],
  ])("takes out a key that was echoed %s", (_name, key, spell) => {
    expect(createSecretGuard(key).redact(`<${spell(key)}>`)).toMatch(/^<"?\[redacted\]=*"?>$/);
  });

  it("takes out a short key where it stands whole, and finds none in values", () => {
    const guard = createSecretGuard("abc");
    expect(guard.redact("xabcx ab")).toBe("x[redacted]x ab");
    expect(guard.isIn({ uri: "abc" })).toBe(false);
  });

  it("does nothing without a key", () => {
    const guard = createSecretGuard(undefined);
    expect(guard.redact("undefined")).toBe("undefined");
    expect(guard.isIn("undefined")).toBe(false);
  });
});
