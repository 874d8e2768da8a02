import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSecrets, toShown, withoutSecrets } from "./redact.ts";

/** Nothing of the mark itself is in these, or it would count as a secret that got through. */
const characters = [..."ABCXYZ0189!%&+/=_~'\"\\ ;,:{}é€🔑"];
const text = (minLength = 0, maxLength = 40) =>
  fc.array(fc.constantFrom(...characters), { minLength, maxLength }).map((list) => list.join(""));
const secret = text(4);
const long = text(13).filter((one) => one.length >= 13);

/** How secrets get into texts. */
const spellings: Record<string, (secret: string) => string> = {
  plain: (one) => one,
  "in JSON": (one) => JSON.stringify(one),
  "in JSON in JSON": (one) => JSON.stringify(JSON.stringify(one)),
  "in a URL": encodeURIComponent,
  "in a URL with small octets": (one) =>
    encodeURIComponent(one).replace(/%../g, (octet) => octet.toLowerCase()),
  "in a URL as RFC 3986 has it": (one) =>
    encodeURIComponent(one).replace(/[!'()*]/g, (found) => `%${found.charCodeAt(0).toString(16)}`),
  "in a form": (one) => encodeURIComponent(one).replaceAll("%20", "+"),
};
const encodings: Record<string, (secret: string) => string> = {
  base64: (one) => Buffer.from(one).toString("base64"),
  base64url: (one) => Buffer.from(one).toString("base64url"),
};

describe("redact", () => {
  it.each(Object.entries(spellings))("hides a secret that is spelled %s, wherever it stands", (_, spell) => {
    fc.assert(
      fc.property(fc.array(secret, { minLength: 1, maxLength: 3 }), text(), text(), (secrets, a, b) => {
        const { redact } = createSecrets(secrets);
        for (const one of secrets) expect(redact(a + spell(one) + b)).not.toContain(one);
        for (const one of secrets) expect(redact(a + spell(one) + b)).not.toContain(spell(one));
      }),
    );
  });

  it.each(Object.entries(encodings))("hides a long secret in %s", (_, spell) => {
    fc.assert(
      fc.property(long, text(), text(), (one, a, b) => {
        const found = createSecrets([one]).redact(`${a} ${spell(one)} ${b}`);
        expect(found).not.toContain(spell(one).slice(0, 16));
      }),
    );
  });

  it.each(Object.entries(spellings).filter(([name]) => !name.includes("JSON")))(
    "hides all of a secret that is spelled %s, and nothing around it",
    (_, spell) => {
      fc.assert(
        fc.property(secret, (one) => {
          expect(createSecrets([one]).redact(`<${spell(one)}>`)).toBe("<[redacted]>");
        }),
      );
    },
  );

  it("leaves a text as it is that has neither secrets nor their marks", () => {
    fc.assert(
      fc.property(fc.array(secret), fc.lorem({ mode: "sentences" }), (secrets, prose) => {
        expect(createSecrets(secrets).redact(prose)).toBe(prose);
        expect(createSecrets(secrets).redactJson(prose)).toBe(prose);
      }),
    );
  });

  it("hides what is left of a long secret after a cut", () => {
    fc.assert(
      fc.property(long, fc.nat(30), (one, more) => {
        const cut = `found ${one.slice(0, 12 + (more % (one.length - 11)))}`;
        expect(createSecrets([one]).redact(cut)).not.toContain(one.slice(0, 12));
      }),
    );
  });

  it("does not tell a guess that is right so far from one that is not", () => {
    const { redact } = createSecrets(["energy-peer-key-7Yq2Zt"]);
    const guesses = ["energy-peer-key-7", "energy-peer-key-7Y", "energy-peer-key-8", "energy-peer-x"];
    for (const guess of guesses)
      expect(redact(`Unknown method: ${guess}. What`)).toBe("Unknown method: [redacted] What");
  });

  it("takes a secret that came later, and is not spoiled by short ones", () => {
    const secrets = createSecrets(["a", "is", "the", ""]);
    expect(secrets.redact("this is the key KEY-1")).toBe("this is the key KEY-1");
    secrets.add(["KEY-1"]);
    expect(secrets.redact("this is the key KEY-1, KEY-1")).toBe("this is the key [redacted], [redacted]");
  });

  it.each([
    ["http://user:pw@host/path", "http://[redacted]@host/path"],
    ["redis://:p%40w@host:1 and https://token@b", "redis://[redacted]@host:1 and https://[redacted]@b"],
    ["GET /x?a=1&signature=abc&b=2", "GET /x?a=1&signature=[redacted]&b=2"],
    [
      "?X-Amz-Credential=AK/1&X-Amz-Signature=ab12",
      "?X-Amz-Credential=[redacted]&X-Amz-Signature=[redacted]",
    ],
    ["/x?api_key=k1&access_token=t1", "/x?api_key=[redacted]&access_token=[redacted]"],
    ["client_secret=abc", "client_secret=[redacted]"],
    ["Authorization: Bearer abc", "Authorization: Bearer [redacted]"],
    ["authorization: 'Basic dTpw'", "authorization: 'Basic [redacted]'"],
    ['{"authorization":"Bearer abc"}', '{"authorization":"Bearer [redacted]"}'],
    ['{"x-api-key":["abc"]}', '{"x-api-key":["[redacted]"]}'],
    ['"{\\"authorization\\":\\"abc\\"}"', '"{\\"authorization\\":\\"[redacted]\\"}"'],
    ["sent Bearer abcDEF123456", "sent Bearer [redacted]"],
    ["Basic authentication, a bearer token", "Basic authentication, a bearer token"],
    ["see http://host/a@b?x=1 = 2", "see http://host/a@b?x=1 = 2"],
  ])("tells by its mark what is a secret in %j", (given, expected) => {
    expect(createSecrets([]).redact(given)).toBe(expected);
  });

  it("takes time in proportion to the text, however that is made", () => {
    const { redact } = createSecrets(["KEYKEYKEYKEYKEY"]);
    for (const piece of [
      "://",
      "authorization:",
      "authorization ",
      "bearer ",
      "token=",
      "a-",
      "\\\\",
      "KEYKEY",
      "x-api-key: [",
    ]) {
      // What goes back over a text takes minutes for this much.
      expect(redact(piece.repeat(1_000_000 / piece.length))).toBeTypeOf("string");
    }
  });
});

describe("redactJson", () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  const hostile = fc.oneof(
    secret,
    fc.nat().map((digits) => String(digits).padStart(4, "1")),
    fc.constantFrom("true", "null", "false", '":"x', "1e+2", "authorization"),
  );

  it("leaves JSON, line by line, with none of the secrets in a value, whatever they look like", () => {
    fc.assert(
      fc.property(
        fc.array(hostile, { maxLength: 3 }),
        value,
        fc.constantFrom("a", "authorization"),
        (secrets, found, name) => {
          fc.pre(!secrets.some((one) => "[redacted]".includes(one)));
          const line = JSON.stringify({
            [name]: found,
            text: secrets.join(" "),
            number: 1234,
            list: secrets,
            no: null,
          });
          const lines = createSecrets(secrets).redactJson(`${line}\n${line}\n`).split("\n");
          expect(lines).toHaveLength(3);
          for (const clean of lines.slice(0, 2)) {
            const seen: unknown[] = [];
            JSON.parse(clean, (_key, one) => {
              if (typeof one !== "object" || one === null) seen.push(String(one));
              return one;
            });
            const plain = secrets.filter((one) => one.length >= 4);
            for (const one of plain) expect(seen.filter((shown) => String(shown).includes(one))).toEqual([]);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    ["1234", '{"size":91234,"at":"1234"}', '{"size":"9[redacted]","at":"[redacted]"}'],
    ["null", '{"a":null,"authorization":"x"}', '{"a":"[redacted]","authorization":"[redacted]"}'],
    [
      "unused",
      '{"authorization":null,"x-api-key":12,"authorization":{}}',
      '{"authorization":null,"x-api-key":12,"authorization":{}}',
    ],
  ])("with the secret %j makes of %s", (one, line, expected) => {
    expect(createSecrets([one]).redactJson(line)).toBe(expected);
  });
});

it("toShown redacts before it cuts, so that no part of a secret is left", () => {
  const secrets = createSecrets(["KEY-CANARY-0123456789"]);
  for (let length = 0; length < 40; length++) {
    expect(toShown("found KEY-CANARY-0123456789", secrets, length)).not.toContain("KEY");
  }
});

it("withoutSecrets cleans what caused an error as well, and ends with causes that go round", () => {
  const secrets = createSecrets(["KEY-CANARY"]);
  const inner = new Error("inner KEY-CANARY");
  const outer = new TypeError("outer KEY-CANARY", { cause: inner });
  inner.cause = outer;
  expect(withoutSecrets(outer, secrets)).toBe(outer);
  expect(`${outer.stack}${inner.stack}${outer.message}${inner.message}`).not.toContain("KEY-CANARY");
  expect(outer.message).toBe("outer [redacted]");
  expect(withoutSecrets("KEY", secrets)).toBe("KEY");
});
