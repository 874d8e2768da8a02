import { toMean, toShare } from "./mean.ts";

/** The readings of one stretch of time. */
export interface Bucket {
  /** Where it begins and ends, on the axis of the timeline. */
  from: number;
  to: number;
  count: number;
  min: number;
  max: number;
  mean: number;
  /** How many of the readings are anomalies, and the highest power among them. */
  anomalies: number;
  highest_anomaly: number;
}

/** Readings over time, summed up in few buckets however many there are. */
export interface Timeline {
  add(position: number, power: number, anomaly: boolean): void;
  /** The buckets that hold readings, in order of time. */
  buckets(): readonly Bucket[];
}

interface Sums {
  count: number;
  sum: number;
  min: number;
  max: number;
  anomalies: number;
  highest_anomaly: number;
}

/**
 * A timeline of at most so many buckets. They begin narrow and double their width, two becoming one,
 * whenever the span of the readings, which may come in any order, does not fit any more.
 *
 * @param max_buckets default 600
 * @param narrowest width of the first buckets, in units of the axis; default 1
 */
export function createTimeline(max_buckets = 600, narrowest = 1): Timeline {
  let width = narrowest;
  let sums = new Map<number, Sums>();
  // Keys are multiples of the width, counted from 0 of the axis: so halving a key finds its new bucket.
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;

  function widen(): void {
    const wider = new Map<number, Sums>();
    for (const [key, narrow] of sums) {
      const half = Math.floor(key / 2);
      const wide = wider.get(half);
      if (wide === undefined) wider.set(half, narrow);
      else merge(wide, narrow);
    }
    sums = wider;
    width *= 2;
    first = Math.floor(first / 2);
    last = Math.floor(last / 2);
  }

  return {
    add(position, power, anomaly) {
      let key = Math.floor(position / width);
      while (Math.max(last, key) - Math.min(first, key) >= max_buckets) {
        widen();
        key = Math.floor(position / width);
      }
      first = Math.min(first, key);
      last = Math.max(last, key);
      let bucket = sums.get(key);
      if (bucket === undefined) {
        bucket = emptySums();
        sums.set(key, bucket);
      }
      bucket.count += 1;
      bucket.sum += toShare(power);
      if (power < bucket.min) bucket.min = power;
      if (power > bucket.max) bucket.max = power;
      if (!anomaly) return;
      bucket.anomalies += 1;
      if (power > bucket.highest_anomaly) bucket.highest_anomaly = power;
    },
    buckets() {
      return [...sums]
        .sort(([a], [b]) => a - b)
        .map(([key, { sum, ...rest }]) => ({
          from: key * width,
          to: (key + 1) * width,
          mean: toMean(sum, rest.count),
          ...rest,
        }));
    },
  };
}

function emptySums(): Sums {
  const { NEGATIVE_INFINITY: lowest, POSITIVE_INFINITY: highest } = Number;
  return { count: 0, sum: 0, min: highest, max: lowest, anomalies: 0, highest_anomaly: lowest };
}

function merge(into: Sums, from: Sums): void {
  into.count += from.count;
  into.sum += from.sum;
  into.min = Math.min(into.min, from.min);
  into.max = Math.max(into.max, from.max);
  into.anomalies += from.anomalies;
  into.highest_anomaly = Math.max(into.highest_anomaly, from.highest_anomaly);
}
