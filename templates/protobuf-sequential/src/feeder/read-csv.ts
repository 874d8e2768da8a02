import { parse } from "csv-parse/sync";
import type { Reading } from "./messages.ts";

const columns = ["timestamp", "voltage", "load"] as const;

/**
 * Reads a CSV with the columns `timestamp` (ISO 8601), `voltage` and `load`; further ones are passed over.
 * @throws Error naming line and column
 */
export function readCsv(csv: string): Reading[] {
  const [header = [], ...rows] = parse(csv, { bom: true, skip_empty_lines: true, trim: true }) as string[][];
  const [timestamp, voltage, load] = columns.map((column) => {
    const at = header.indexOf(column);
    if (at < 0) throw new Error(`Expected the column "${column}" in the header, found "${header.join(",")}"`);
    return at;
  }) as [number, number, number];
  return rows.map((cells, index) => {
    const number = (at: number, column: string) => {
      const value = Number(cells[at]);
      if (cells[at] === "" || !Number.isFinite(value)) {
        throw new Error(`Row ${index + 2}, column "${column}": expected a number, found "${cells[at]}"`);
      }
      return value;
    };
    return {
      timestamp: cells[timestamp] ?? "",
      voltage: number(voltage, "voltage"),
      load: number(load, "load"),
    };
  });
}
