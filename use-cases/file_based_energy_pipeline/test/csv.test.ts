import { parse } from "csv-parse/sync";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Line, readLines } from "../csv/read-lines.ts";
import { readTable, toCell, toNumber } from "../csv/read-table.ts";

async function* pieces(...parts: (string | Uint8Array)[]) {
  yield* parts;
}

async function linesOf(...parts: (string | Uint8Array)[]): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const batch of readLines(pieces(...parts))) lines.push(...batch);
  return lines;
}

async function rowsOf(text: string, columns: readonly string[]) {
  const rows: { line: number; cells: readonly string[] }[] = [];
  for await (const batch of readTable(pieces(text), columns)) rows.push(...batch);
  return rows;
}

describe("readLines", () => {
  const cell = fc.stringMatching(/^[a-z0-9 é€😀.]{1,6}$/u);
  const quotedCell = fc.stringMatching(/^[a-z",\n ]{0,6}$/).map((text) => `"${text.replaceAll('"', '""')}"`);
  const csv = fc.tuple(
    fc.array(fc.array(fc.oneof({ weight: 9, arbitrary: cell }, quotedCell), { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 8,
    }),
    fc.constantFrom("\n", "\r\n"),
    fc.constantFrom("", "\n", "\n\n"),
  );
  const toText = ([rows, end, last]: [string[][], string, string]) =>
    rows.map((row) => row.join(",")).join(end) + last;

  it("reads what csv-parse reads, wherever the pieces are cut", async () => {
    await fc.assert(
      fc.asyncProperty(csv, fc.array(fc.nat(60), { maxLength: 5 }), async (parts, cuts) => {
        const text = toText(parts);
        const bytes = Buffer.from(text);
        const ends = [...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const slices = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
        const expected: { record: string[]; lines: number }[] = [];
        parse(text, {
          record_delimiter: ["\r\n", "\n"],
          relax_column_count: true,
          skip_empty_lines: true,
          on_record(record: string[], { lines }) {
            expected.push({ record, lines });
            return null;
          },
        });
        const found = await linesOf(...slices);
        expect(found.map(({ cells }) => cells)).toEqual(expected.map(({ record }) => record));
        // csv-parse counts up to a record's end, an editor's user looks for its beginning.
        const begins = expected.map(({ lines, record }) => lines - record.join("").split("\n").length + 1);
        expect(found.map(({ line }) => line)).toEqual(begins);
      }),
    );
  });

  it("leaves out blank lines, carriage returns and a byte order mark", async () => {
    expect(await linesOf("\ufeffa,b\r\n\r\n1,2\n\n")).toEqual([
      { line: 1, cells: ["a", "b"] },
      { line: 3, cells: ["1", "2"] },
    ]);
  });

  it("names the row of a quote that is never closed", async () => {
    await expect(linesOf('a,b\n1,2\n3,"4\n')).rejects.toThrow(
      /^Row \d+: expected well-formed quotes, found otherwise: Quote Not Closed/,
    );
  });

  it("refuses a file without line breaks instead of taking it into memory", async () => {
    await expect(linesOf(...Array.from({ length: 20 }, () => "x".repeat(100_000)))).rejects.toThrow(
      "Row 1: expected at most 1048576 characters; is this a CSV with line breaks?",
    );
  });

  it("passes on the fault of its source, also behind a quote", async () => {
    async function* broken() {
      yield 'a,b\n"1",2\n';
      throw new Error("the disk is gone");
    }
    const read = async () => {
      for await (const _ of readLines(broken()));
    };
    await expect(read()).rejects.toThrow("the disk is gone");
  });
});

describe("readTable", () => {
  it("gives the asked columns in the asked order", async () => {
    expect(await rowsOf("b, a ,c\n1,2,3\n", ["a", "b"])).toEqual([{ line: 2, cells: ["2", "1"] }]);
  });

  it.each([
    ["", "Expected a CSV with a header and at least one row, found nothing"],
    ["a,b\n", "Expected at least one row below the header, found none"],
    ["\n\n\na,c\n1,2\n", 'Row 4: expected the column "b" in the header, found only "a,c"'],
    ["a,c\n1,2\n", 'Row 1: expected the column "b" in the header, found only "a,c"'],
    ["a,b,a\n1,2,3\n", 'Row 1: expected the column "a" once in the header, found it twice'],
    ["a;b\n1;2,5\n", 'Row 1: the columns are separated by ";", expected ","'],
    ["a\tb\n1\t2\n", 'Row 1: the columns are separated by tabs, expected ","'],
    [
      "a,\u001b[31m\u0007\n1,2\n",
      'Row 1: expected the column "b" in the header, found only "a,\\u001b[31m\\u0007"',
    ],
    ["a,b\n1,2\n\n3\n", "Row 4: expected 2 cells like the header, found 1"],
  ])("refuses %j", async (text, message) => {
    const counting = /cells like the header/.test(message)
      ? " (rows are the lines of the file as an editor counts them)"
      : "";
    await expect(rowsOf(text, ["a", "b"])).rejects.toMatchObject({ message: message + counting });
  });
});

describe("a file that is no UTF-8 text", () => {
  const text = "a,b\n1,2\n";
  const utf16 = Buffer.from(text, "utf16le");
  const swapped = Buffer.from(utf16).swap16();
  const found16 = 'Expected a CSV in UTF-8, found UTF-16: save it as "CSV UTF-8"';
  const zip = [0x50, 0x4b, 3, 4, 0x14, 0, 6, 0];
  const noText = (byte: number) =>
    `Expected a CSV, found a NUL character at byte ${byte}: this is no text file`;

  it.each([
    ["UTF-16, little endian", [0xff, 0xfe, ...utf16], found16],
    ["UTF-16, big endian", [0xfe, 0xff, ...swapped], found16],
    ["UTF-16 without a byte order mark", [...utf16], found16],
    ["the same, big endian", [...swapped], found16],
    ["a ZIP archive", zip, noText(5)],
    ["a NUL far behind", [...Buffer.from(text.repeat(9000)), 0], noText(72_000)],
  ])("is refused as such: %s", async (_name, bytes, message) => {
    const whole = Buffer.from(bytes);
    await expect(linesOf(whole)).rejects.toMatchObject({ message });
    // Wherever the pieces are cut.
    const cut = [...whole.subarray(0, 20)].map((byte) => Buffer.of(byte));
    await expect(linesOf(...cut, whole.subarray(20))).rejects.toMatchObject({ message });
  });
});

describe("toNumber", () => {
  it.each(["0", "-1.5", "+.5", "3.", "1e-3", " 7 "])("takes %j", (text) => {
    expect(toNumber(text, 2, "voltage")).toBe(Number(text));
  });

  it.each(["", " ", "abc", "0x10", "Infinity", "NaN", "1,5", "1e999", "1_0"])("refuses %j", (text) => {
    expect(() => toNumber(text, 17, "voltage")).toThrow(
      `Row 17, column "voltage": expected a number, found "${text}"`,
    );
  });
});

it("never shows a control character of the data as it is", () => {
  expect(() => toNumber("1\u0000\u009b2J\u202e\n", 17, "voltage")).toThrow(
    'expected a number, found "1\\u0000\\u009b2J\\u202e\\u000a"',
  );
});

it("quotes a cell so that it is read back as it was", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ minLength: 1 }), async (text) => {
      fc.pre(!text.includes("\r"));
      const [row] = await rowsOf(`a,b\n${toCell(text)},1\n`, ["a"]);
      expect(row?.cells).toEqual([text]);
    }),
  );
});
