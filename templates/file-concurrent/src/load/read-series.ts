import { parse } from "csv-parse/sync";

/** A metered value. */
export interface Reading {
  /** Milliseconds since 1970. */
  time: number;
  /** Undefined where the meter sent nothing. */
  load_kw: number | undefined;
}

/**
 * Reads a CSV with the columns `timestamp` (ISO 8601) and `load_kw`, in any order; further ones are
 * passed over. An empty load is a value that is missing.
 * @throws Error naming line and column
 */
export function readSeries(csv: string): Reading[] {
  const [header = [], ...rows] = parse(csv, { bom: true, skip_empty_lines: true, trim: true }) as string[][];
  const [timestamp, load] = ["timestamp", "load_kw"].map((column) => {
    const at = header.indexOf(column);
    if (at < 0) throw new Error(`Expected the column "${column}" in the header, found "${header.join(",")}"`);
    return at;
  }) as [number, number];
  if (rows.length === 0) throw new Error("Expected at least one row below the header, found none");
  return rows.map((cells, index) => {
    const [time, text] = [Date.parse(cells[timestamp] ?? ""), cells[load] ?? ""];
    if (Number.isNaN(time)) {
      throw new Error(
        `Row ${index + 2}, column "timestamp": expected an ISO 8601 time, found "${cells[timestamp]}"`,
      );
    }
    if (text !== "" && !Number.isFinite(Number(text))) {
      throw new Error(`Row ${index + 2}, column "load_kw": expected a number, found "${text}"`);
    }
    return { time, load_kw: text === "" ? undefined : Number(text) };
  });
}
