import type { Source } from "../../../csv/decode.ts";
import { cellsFault } from "../../../csv/fault.ts";
import { readTable, toCell, toNumber } from "../../../csv/read-table.ts";

const columns = ["timestamp", "household_id", "power_consumption", "voltage", "current"] as const;

/** More than this share of the apparent power is more than a household's devices give. */
const highest_efficiency = 0.95;

/**
 * The analysed CSV, piece by piece: each reading with its efficiency and whether it is an anomaly.
 *
 * @param anomaly_threshold an efficiency below this one is an anomaly, as is one above 0.95
 */
export async function* analyze(readings: Source, anomaly_threshold: number): AsyncGenerator<string> {
  yield "timestamp,household_id,power,efficiency,status,anomaly_detected\n";
  for await (const batch of readTable(readings, columns)) {
    let piece = "";
    for (const { line, cells } of batch) {
      const [timestamp, household, power, voltage, current] = cells;
      const efficiency = efficiencyOf(
        toNumber(power, line, "power_consumption"),
        toNumber(voltage, line, "voltage"),
        toNumber(current, line, "current"),
      );
      // What the report could not read again is refused here, where the row is known.
      if (!Number.isFinite(efficiency)) {
        const found = `${power.trim()} / (${voltage.trim()} * ${current.trim()})`;
        throw cellsFault(line, columns.slice(2), "an efficiency that is a finite number", found);
      }
      const anomaly = efficiency < anomaly_threshold || efficiency > highest_efficiency;
      piece += `${toCell(timestamp)},${toCell(household)},${power.trim()},${efficiency.toFixed(4)},${anomaly ? "anomaly,true" : "normal,false"}\n`;
    }
    yield piece;
  }
}

function efficiencyOf(power: number, voltage: number, current: number): number {
  const apparent = voltage * current;
  return apparent === 0 ? 0 : power / apparent;
}
