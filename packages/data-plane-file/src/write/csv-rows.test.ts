import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { tempFolder } from "@aieffect/test-support";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFilePlane, hasCsvRows } from "../index.ts";

const headerOnly = [
  "",
  "\n\n",
  "a,b",
  "a,b\n",
  "a,b\r\n",
  "a,b\r",
  "a,b\n\r\n \t\n",
  "\ufeffa,b\n",
  '\ufeff"a",b\n',
  "\n\na,b\n",
  '"a\nb",c\n',
  '"a\r\nb","c""\n""d"\r\n',
  '"a;\n";"b\n"\n',
  '5 " pipe,b\n',
];
const withRows = [
  "a\n1",
  "a,b\n1,2\n",
  "a,b\r\n1,2",
  "a\r1\r",
  "a,b\n\n\n1,2",
  "\ufeffa\n1",
  "\n\na\n1",
  '"a\nb",c\n1,2',
  '"a""\n""b"\n1',
  'diameter 5",b\n1,2\n',
  'a,b 5"\n1,2\n',
  "a\n,",
];

describe("hasCsvRows", () => {
  it.each(headerOnly)("finds none in %j", async (csv) => {
    expect(await hasCsvRows([Buffer.from(csv)])).toBe(false);
  });

  it.each(withRows)("finds some in %j", async (csv) => {
    expect(await hasCsvRows([Buffer.from(csv)])).toBe(true);
  });

  it("says the same wherever the pieces end", async () => {
    const cell = fc
      .array(fc.constantFrom("a", "é", '"', "\n", "\r\n", ",", " ", "1"), { maxLength: 5 })
      .map((parts) => parts.join(""));
    const quoted = cell.map((text) => `"${text.replaceAll('"', '""')}"`);
    const end = fc.constantFrom("\n", "\r\n", "\r");
    const table = fc.record({
      bom: fc.constantFrom("", "\ufeff"),
      before: fc.constantFrom("", "\n", "\r\n"),
      header: fc.array(quoted, { minLength: 1, maxLength: 3 }),
      end,
      rows: fc.array(fc.array(quoted, { minLength: 1, maxLength: 3 }), { maxLength: 2 }),
      after: fc.constantFrom("", "\n\n", "\r\n \r\n", "\t"),
      size: fc.integer({ min: 1, max: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(table, async ({ bom, before, header, end, rows, after, size }) => {
        const csv =
          bom + before + header.join(",") + end + rows.map((row) => row.join(",") + end).join("") + after;
        const bytes = Buffer.from(csv);
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        );
        expect(await hasCsvRows(pieces)).toBe(rows.length > 0);
      }),
      { numRuns: 500 },
    );
  });

  it("agrees with what store noticed, and with a file's path", async () => {
    const folder = await tempFolder();
    const { store } = createFilePlane({ data_dir: folder });
    for (const [csv, rows] of [
      ...headerOnly.map((text) => [text, false]),
      ...withRows.map((text) => [text, true]),
    ] as [string, boolean][]) {
      const stored = await store([...csv], { folder, format: "csv" });
      expect(stored.csv_rows, csv).toBe(rows);
      expect(await hasCsvRows(stored.path), csv).toBe(rows);
    }
    expect((await store("a\n1", { folder, format: "json" })).csv_rows).toBeUndefined();
  });

  it("reads no further than it has to, and lets the stream go", async () => {
    let asked = 0;
    const endless = Readable.from(
      (function* () {
        for (; ; asked++) yield Buffer.from("a,b\n1,2\n");
      })(),
      { highWaterMark: 1 },
    );
    expect(await hasCsvRows(endless)).toBe(true);
    expect(endless.destroyed).toBe(true);
    expect(asked).toBeLessThan(5);
  });

  it("says what it could not read", async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, "file"), "");
    await expect(hasCsvRows(join(folder, "none.csv"))).rejects.toMatchObject({
      code: "unreadable_reference",
      message: expect.stringContaining("it does not exist"),
    });
  });
});
