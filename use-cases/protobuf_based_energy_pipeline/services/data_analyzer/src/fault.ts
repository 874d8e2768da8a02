import { ControlError } from "@aieffect/control-interface";
import { toShown } from "@aieffect/energy-services";
import type { EnergyRecord } from "../../../generated/common.ts";

const fields = [
  ["power_consumption", "powerConsumption"],
  ["voltage", "voltage"],
  ["current", "current"],
] as const;

/** A record that cannot be analysed. @param number its place, from 1 */
export function recordFault(
  { timestamp, householdId }: EnergyRecord,
  number: number,
  expected: string,
  found: string,
): ControlError {
  const name = toShown(`${householdId} ${timestamp}`, 100);
  return new ControlError(
    "unreadable_reference",
    `Record ${number} ("${name}"): expected ${expected}, found ${found}`,
  );
}

/** That a record's numbers are numbers. @throws ControlError naming record and field */
export function assertNumbers(record: EnergyRecord, number: number): void {
  for (const [name, key] of fields) {
    if (Number.isFinite(record[key])) continue;
    throw recordFault(record, number, `${name} to be a finite number`, String(record[key]));
  }
}
