import { createRandom, households, type Plan, toTimestamp } from "@aieffect/energy-services";
import type { EnergyRecord } from "../../../generated/common.ts";

const base_W = 120;
const step_W = 5;
const steps = 10;
const noise_W = 10;
const nominal_V = 230;
const swing_V = 5;

/**
 * The readings of a plan, one by one. All households report at each point in time. Consumption is
 * 120 W and a multiple of 5 W that goes round from 0 to 45, give or take 10 W; voltage is 230 V,
 * give or take 5 V; the current fits the two.
 */
export function* generateRecords({
  num_records,
  seed,
  start_ms,
  interval_ms,
}: Plan): Generator<EnergyRecord> {
  const random = createRandom(seed);
  const around = (centre: number, reach: number) => centre + (random() * 2 - 1) * reach;
  for (let index = 0; index < num_records; index += 1) {
    const powerConsumption = around(base_W + (index % steps) * step_W, noise_W);
    const voltage = around(nominal_V, swing_V);
    yield {
      timestamp: toTimestamp(start_ms + Math.floor(index / households.length) * interval_ms),
      householdId: households[index % households.length] as string,
      powerConsumption,
      voltage,
      current: powerConsumption / voltage,
    };
  }
}
