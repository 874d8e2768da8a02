import { toShown } from "@aieffect/energy-services";
import type { Source } from "./decode.ts";
import { cellFault, dataFault, headerFault, rowFault } from "./fault.ts";
import { readLines } from "./read-lines.ts";

/** A row of a table: its cells in the order in which the columns were asked for. */
export interface Row<Columns extends readonly string[]> {
  /** Counted from 1, as an editor does. */
  readonly line: number;
  readonly cells: { readonly [K in keyof Columns]: string };
}

/**
 * Reads a CSV that has at least these columns, in any order; further ones are passed over. Gives
 * batches of rows, in constant memory.
 *
 * @throws ControlError naming the row, and the column, that is at fault: a column missing or there
 * twice, a row with too few or too many cells, no row at all
 */
export async function* readTable<const Columns extends readonly string[]>(
  source: Source,
  columns: Columns,
): AsyncGenerator<readonly Row<Columns>[]> {
  let select: Select<Columns> | undefined;
  let width = 0;
  let empty = true;
  for await (const batch of readLines(source)) {
    const rows: Row<Columns>[] = [];
    for (const { line, cells } of batch) {
      if (select === undefined) {
        select = selection(cells, columns, line);
        width = cells.length;
        continue;
      }
      if (cells.length !== width) {
        throw rowFault(line, `expected ${width} cells like the header, found ${cells.length}`);
      }
      rows.push({ line, cells: select(cells) });
    }
    if (rows.length === 0) continue;
    empty = false;
    yield rows;
  }
  if (empty) throw dataFault("Expected at least one row below the header, found none");
}

const number = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

/** The number in a cell. @throws ControlError naming row and column when it is none */
export function toNumber(cell: string, line: number, column: string): number {
  const value = Number(cell);
  // Number() also takes "", "0x1f" and "Infinity", and 1e999 is written like a number.
  if (!number.test(cell) || !Number.isFinite(value)) throw cellFault(line, column, "a number", cell);
  return value;
}

/** A cell as it stands in a CSV, quoted where it has to be. */
export function toCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

type Select<Columns extends readonly string[]> = (cells: readonly string[]) => Row<Columns>["cells"];

function selection<Columns extends readonly string[]>(
  header: readonly string[],
  columns: Columns,
  line: number,
): Select<Columns> {
  const names = header.map((name) => name.trim());
  const missing = columns.filter((column) => !names.includes(column));
  if (missing.length > 0) {
    const separator = otherSeparator(names);
    if (separator !== undefined) {
      throw headerFault(line, `the columns are separated by ${separator}, expected ","`);
    }
    const all = missing.map((column) => `"${column}"`).join(", ");
    throw headerFault(
      line,
      `expected the column ${all} in the header, found only "${toShown(names.join(","), 500)}"`,
    );
  }
  const twice = columns.find((column) => names.indexOf(column) !== names.lastIndexOf(column));
  if (twice !== undefined)
    throw headerFault(line, `expected the column "${twice}" once in the header, found it twice`);
  const positions = columns.map((column) => names.indexOf(column));
  const inOrder = positions.every((position, index) => position === index) && names.length === columns.length;
  // The types of a tuple's elements are lost in map(); there is one cell per asked column.
  return inOrder
    ? (cells) => cells as Row<Columns>["cells"]
    : (cells) => positions.map((position) => cells[position]) as unknown as Row<Columns>["cells"];
}

/** What a header that came out as one cell is separated by, as spreadsheets of many countries do. */
function otherSeparator([only = "", ...others]: readonly string[]): string | undefined {
  if (others.length > 0) return undefined;
  if (only.includes(";")) return '";"';
  return only.includes("\t") ? "tabs" : undefined;
}
