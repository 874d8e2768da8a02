import { type Format, formats } from "@aieffect/control-interface";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { guessFormat, readUploadFields, toShownName } from "./upload-form.ts";

const messages = (sent: Record<string, unknown>) => readUploadFields(sent).issues.map(({ msg }) => msg);

describe("the fields of an upload", () => {
  it("are read, each as what it is", () => {
    const sent = {
      format: "csv",
      checksum: "sha256:00",
      workflow_id: "wf",
      task_id: "load",
      metadata: '{"unit":"kW"}',
    };
    expect(readUploadFields(sent)).toEqual({
      fields: { ...sent, metadata: { unit: "kW" } },
      issues: [],
    });
  });

  it("may be missing, and count as missing when they are empty", () => {
    const empty = { format: "", checksum: "", workflow_id: "", task_id: "", metadata: "" };
    for (const sent of [{}, empty]) expect(readUploadFields(sent)).toEqual({ fields: {}, issues: [] });
  });

  it("are objected to all at once, each by its name", () => {
    const { issues } = readUploadFields({
      format: "CSV",
      checksum: "00",
      workflow_id: "w".repeat(1025),
      task_id: ["a", "b"],
      metadata: "[1]",
      file: "text",
      colour: "red",
    });
    expect(issues).toEqual([
      {
        loc: ["body", "format"],
        msg: 'Expected one of json, csv, parquet, protobuf, binary, xml (R-REF-10), found "CSV"',
        type: "enum",
      },
      {
        loc: ["body", "checksum"],
        msg: 'Expected algorithm:value, as in sha256:<hex> (R-REF-13), found "00"',
        type: "value_error",
      },
      {
        loc: ["body", "workflow_id"],
        msg: "Expected at most 1024 characters (R-EXEC-17), found 1025",
        type: "string_too_long",
      },
      {
        loc: ["body", "task_id"],
        msg: "Expected this field once and as a text, found it several times or nested",
        type: "string_type",
      },
      { loc: ["body", "metadata"], msg: 'Expected a JSON object, found "[1]"', type: "dict_type" },
      {
        loc: ["body", "file"],
        msg: "Expected a file with a file name, found a text; with curl: -F file=@load.csv",
        type: "file_expected",
      },
      {
        loc: ["body", "colour"],
        msg: "Expected no other fields than file, format, checksum, workflow_id, task_id, metadata; found this one",
        type: "extra_forbidden",
      },
    ]);
  });

  it("are refused where nobody could compare or carry them", () => {
    expect(messages({ checksum: "crc1:00" })).toEqual([
      'Expected an algorithm that can be computed here, for example sha256, sha512 or md5; found "crc1:00"',
    ]);
    expect(messages({ metadata: "{" })[0]).toMatch(/^Expected a JSON object: /);
    const beyond = "Expected no number beyond a double's range and at most 100 levels of nesting";
    expect(messages({ metadata: '{"a":1e999}' })).toEqual([beyond]);
    expect(messages({ metadata: `{"a":${"[".repeat(30_000)}${"]".repeat(30_000)}}` })).toEqual([beyond]);
  });

  it("never throw, and give what is right or an objection to every one", () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.json(), fc.constantFrom(...formats));
    const known = ["format", "checksum", "workflow_id", "task_id", "metadata"];
    const name = fc.oneof(
      fc.constantFrom(...known, "file"),
      fc.constantFrom("__proto__", "constructor", "toString"),
      fc.string(),
    );
    fc.assert(
      fc.property(
        fc.dictionary(name, fc.oneof(text, fc.array(text, { maxLength: 2 })), { maxKeys: 7 }),
        (sent) => {
          const { fields, issues } = readUploadFields(sent);
          const objected = issues.map(({ loc }) => loc[1]);
          for (const [key, value] of Object.entries(sent)) {
            const isTaken = Object.hasOwn(fields, key);
            const isEmpty = value === "" && known.includes(key);
            if (Number(isTaken) + Number(objected.includes(key)) + Number(isEmpty) !== 1) return false;
          }
          return Object.keys(fields).every((key) => Object.hasOwn(sent, key));
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("the format of an upload", () => {
  it.each<[string, string, Format | undefined]>([
    ["load.csv", "application/octet-stream", "csv"],
    ["LOAD.CSV", "text/plain", "csv"],
    ["a.b.json", "text/plain", "json"],
    ["area.geojson", "application/octet-stream", "json"],
    ["a.parquet", "", "parquet"],
    ["a.xml", "", "xml"],
    ["a.pb", "", "protobuf"],
    ["a.bin", "", "binary"],
    // The name comes first: many clients send a type that they guess.
    ["a.csv", "application/json", "csv"],
    ["a.csv.gz", "text/csv", "csv"],
    ["a", "TEXT/CSV", "csv"],
    ["a", "application/geo+json", "json"],
    ["a", "image/svg+xml", "xml"],
    ["a", "application/x-protobuf", "protobuf"],
    ["a", "application/octet-stream", undefined],
    ["csv", "text/plain", undefined],
    [".csv", "text/plain", "csv"],
    ["a.", "text/plain", undefined],
    ["a.constructor", "__proto__", undefined],
  ])("%j of type %j is %j", (name, type, format) => {
    expect(guessFormat(name, type)).toBe(format);
  });

  it("is one of the six or none, whatever the name and type", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (name, type) => {
        expect([undefined, ...formats]).toContain(guessFormat(name, type));
      }),
    );
  });
});

describe("a file's name", () => {
  it.each([
    ["load.csv", "load.csv"],
    ["Größe 2024.csv", "Größe 2024.csv"],
    ["../../etc/passwd", "passwd"],
    ["C:\\data\\load.csv", "load.csv"],
    ["a\0b\nc\u0085.csv", "abc.csv"],
    ["..", ""],
    ["x/", ""],
    [" ", ""],
  ])("%j is shown as %j", (name, shown) => {
    expect(toShownName(name)).toBe(shown);
  });

  it("is cut between characters", () => {
    expect(toShownName("😀".repeat(300))).toBe("😀".repeat(255));
  });

  it("never has a folder, a control character or half a character in it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 600 }), (name) => {
        const shown = toShownName(name);
        expect(shown).not.toMatch(/[/\\\p{Cc}\p{Cs}]/u);
        expect([...shown].length).toBeLessThanOrEqual(255);
        expect(toShownName(shown)).toBe(shown);
      }),
    );
  });
});
