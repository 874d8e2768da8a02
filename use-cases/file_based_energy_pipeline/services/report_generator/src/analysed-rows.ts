import type { Source } from "../../../csv/decode.ts";
import { cellFault } from "../../../csv/fault.ts";
import { readTable, toNumber } from "../../../csv/read-table.ts";

const columns = ["timestamp", "household_id", "power", "efficiency", "status", "anomaly_detected"] as const;

/** An analysed reading, as far as the report needs it. */
export interface AnalysedRow {
  timestamp: string;
  /** In W. */
  power: number;
  efficiency: number;
  anomaly: boolean;
}

/** The rows of an analysed CSV in batches. @throws ControlError naming the row, and the column, at fault */
export async function* readAnalysedRows(source: Source): AsyncGenerator<readonly AnalysedRow[]> {
  for await (const batch of readTable(source, columns)) {
    yield batch.map(({ line, cells }) => {
      const [timestamp, , power, efficiency, , anomaly] = cells;
      return {
        timestamp,
        power: toNumber(power, line, "power"),
        efficiency: toNumber(efficiency, line, "efficiency"),
        anomaly: toBoolean(anomaly, line),
      };
    });
  }
}

/** Python writes `True` and `False`. */
function toBoolean(cell: string, line: number): boolean {
  if (cell === "true" || cell === "True") return true;
  if (cell === "false" || cell === "False") return false;
  throw cellFault(line, "anomaly_detected", "true or false", cell);
}
