/** A meter's reading, as in the proto. */
interface Reading {
  /** ISO 8601. */
  timestamp: string;
  /** V */
  voltage: number;
  /** kW */
  load: number;
}

/** What the operation answers with. */
export interface FeederReadings {
  readings: Reading[];
}

/** A simulated feeder of households; put the access to real meters here. */
export interface Meter {
  /** The four readings of an hour. */
  readHour(start: number): Reading[];
}

/** The same seed gives the same readings. */
export function createMeter(seed: number): Meter {
  return {
    readHour: (start) =>
      [0, 1, 2, 3].map((quarter) => {
        const time = start + quarter * 900_000;
        const hour = (time % 86_400_000) / 3_600_000;
        const noise = random(seed + time / 900_000) - 0.5;
        const load =
          12 + 6 * Math.exp(-((hour - 7.5) ** 2) / 4) + 11 * Math.exp(-((hour - 19) ** 2) / 6) + noise;
        return {
          timestamp: new Date(time).toISOString(),
          voltage: Number((236 - 0.4 * load).toFixed(1)),
          load: Number(load.toFixed(2)),
        };
      }),
  };
}

/** A number from 0 to 1 that a number alone decides (mulberry32). */
function random(state: number): number {
  let bits = Math.imul(state + 0x6d2b79f5, 1);
  bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
  return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
}
