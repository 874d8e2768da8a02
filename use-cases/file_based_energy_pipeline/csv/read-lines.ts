import { pipeline, Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { decode, type Source } from "./decode.ts";
import { dataFault, rowFault } from "./fault.ts";

/** The cells of a row and where it begins. */
export interface Line {
  /** Counted from 1, as an editor does; a cell with line breaks counts as the lines it fills. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** Longest row taken. Keeps memory bounded when a file without line breaks comes in. */
const max_row_characters = 2 ** 20;

/**
 * Reads the rows of a CSV in batches, in constant memory. Blank lines are left out; a byte order
 * mark is not part of the first cell.
 *
 * Rows without a quote, in practice whole files, are split at their commas, which is about four
 * times as fast as csv-parse; from the first quote on csv-parse reads the rest.
 */
export async function* readLines(source: Source): AsyncGenerator<readonly Line[]> {
  const pieces = decode(source);
  let line = 1;
  let rest = "";
  for await (const piece of pieces) {
    const text = rest + piece;
    const end = text.lastIndexOf("\n") + 1;
    if (text.includes('"')) {
      yield* readQuoted(prepend(text, pieces), line);
      return;
    }
    if (text.length - end > max_row_characters) throw tooLong(line + countBreaks(text));
    const batch: Line[] = [];
    if (end > 0) line = split(text.slice(0, end - 1), line, batch);
    rest = text.slice(end);
    if (batch.length > 0) yield batch;
  }
  const last: Line[] = [];
  split(rest, line, last);
  if (last.length > 0) yield last;
}

/** Appends the rows of these lines to the batch. @returns the number of the line that comes next */
function split(text: string, first: number, batch: Line[]): number {
  let line = first;
  for (const row of text.split("\n")) {
    const cut = row.endsWith("\r") ? row.slice(0, -1) : row;
    if (cut.length > max_row_characters) throw tooLong(line);
    if (cut !== "") batch.push({ line, cells: cut.split(",") });
    line += 1;
  }
  return line;
}

async function* readQuoted(text: AsyncIterable<string>, first: number): AsyncGenerator<readonly Line[]> {
  const parser = parse({
    info: true,
    record_delimiter: ["\r\n", "\n"],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: max_row_characters,
  });
  // A failed source destroys the parser with its error, which the loop below throws.
  pipeline(Readable.from(text), parser, () => {});
  let batch: Line[] = [];
  try {
    for await (const { info, record } of parser as AsyncIterable<{
      info: { lines: number };
      record: string[];
    }>) {
      const breaks = record.reduce((sum, cell) => sum + countBreaks(cell), 0);
      batch.push({ line: first + info.lines - 1 - breaks, cells: record });
      if (batch.length >= 1000) {
        yield batch;
        batch = [];
      }
    }
  } catch (error) {
    throw error instanceof CsvError ? toFault(error, first) : error;
  }
  if (batch.length > 0) yield batch;
}

function toFault(error: CsvError, first: number): Error {
  const line = first + Number(error.lines ?? 1) - 1;
  if (error.code === "CSV_MAX_RECORD_SIZE") return tooLong(line);
  return rowFault(
    line,
    `expected well-formed quotes, found otherwise: ${error.message.split(":")[0]}`,
    error,
  );
}

function tooLong(line: number): Error {
  return dataFault(
    `Row ${line}: expected at most ${max_row_characters} characters; is this a CSV with line breaks?`,
  );
}

async function* prepend(text: string, pieces: AsyncGenerator<string>): AsyncGenerator<string> {
  yield text;
  yield* pieces;
}

function countBreaks(text: string): number {
  return text.split("\n").length - 1;
}
