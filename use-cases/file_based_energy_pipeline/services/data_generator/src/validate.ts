import type { Source } from "../../../csv/decode.ts";
import { cellFault } from "../../../csv/fault.ts";
import { readTable, toNumber } from "../../../csv/read-table.ts";
import { columns } from "./generate-rows.ts";

/**
 * Reads a CSV of readings to its end and checks every cell.
 *
 * @returns how many rows it has
 * @throws ControlError naming the row, and the column, at fault
 */
export async function validateReadings(source: Source): Promise<number> {
  let rows = 0;
  for await (const batch of readTable(source, columns)) {
    for (const { line, cells } of batch) {
      const [timestamp, household, power, voltage, current] = cells;
      if (timestamp.trim() === "") throw cellFault(line, "timestamp", "a point in time", timestamp);
      if (household.trim() === "") throw cellFault(line, "household_id", "a household", household);
      toNumber(power, line, "power_consumption");
      toNumber(voltage, line, "voltage");
      toNumber(current, line, "current");
    }
    rows += batch.length;
  }
  return rows;
}
