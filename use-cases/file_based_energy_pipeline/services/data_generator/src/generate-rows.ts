import { createRandom, households, type Plan, type Random, toTimestamp } from "@aieffect/energy-services";

/** The columns of the readings. */
export const columns = ["timestamp", "household_id", "power_consumption", "voltage", "current"] as const;

const faulty_share = 0.05;
const rows_per_piece = 1000;

/**
 * The CSV of a plan, piece by piece. All households report at each point in time. Power follows the
 * day: low at night, a peak in the morning and a higher one in the evening. The power factor is 0.6
 * to 0.94 in a sound row; in a faulty one the current does not fit (0.2 to 0.45, or 0.97 to 1.1).
 */
export function* generateRows({ num_records, seed, start_ms, interval_ms }: Plan): Generator<string> {
  const random = createRandom(seed);
  yield `${columns.join(",")}\n`;
  let piece = "";
  let time = start_ms;
  let timestamp = toTimestamp(time);
  let load = loadAt(time);
  for (let index = 0; index < num_records; index += 1) {
    const household = index % households.length;
    if (household === 0 && index > 0) {
      time += interval_ms;
      timestamp = toTimestamp(time);
      load = loadAt(time);
    }
    piece += `${timestamp},${households[household]},${toReading(random, load, household)}\n`;
    if ((index + 1) % rows_per_piece === 0) {
      yield piece;
      piece = "";
    }
  }
  if (piece !== "") yield piece;
}

/** Power in W, voltage in V and current in A, as cells. */
function toReading(random: Random, load: number, household: number): string {
  const power = load * (0.8 + household * 0.12) * (0.85 + random() * 0.3);
  const voltage = 225 + random() * 10;
  const current = power / (voltage * powerFactor(random));
  return `${power.toFixed(2)},${voltage.toFixed(2)},${current.toFixed(4)}`;
}

function powerFactor(random: Random): number {
  const chance = random();
  if (chance < faulty_share / 2) return 0.2 + random() * 0.25;
  if (chance < faulty_share) return 0.97 + random() * 0.13;
  return 0.6 + random() * 0.34;
}

/** What a household uses at this time of day, in W. */
function loadAt(time_ms: number): number {
  const hour = (time_ms / 3_600_000) % 24;
  return 180 + 650 * peak(hour, 7.5, 1.4) + 1400 * peak(hour, 19, 2.1) + 220 * peak(hour, 13, 3);
}

/** A bell of height 1 around an hour. */
function peak(hour: number, centre: number, width: number): number {
  return Math.exp(-(((hour - centre) / width) ** 2) / 2);
}
