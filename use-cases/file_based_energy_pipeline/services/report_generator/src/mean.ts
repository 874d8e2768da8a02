/** Sums of up to 2^64 numbers of any size stay finite at this scale; a power of two loses no digit. */
const scale = 2 ** -64;

/** A number as a share of a sum for {@link toMean}; the plain sum of large numbers would be Infinity. */
export function toShare(value: number): number {
  return value * scale;
}

/** The mean of numbers whose shares have this sum. */
export function toMean(sum: number, count: number): number {
  const mean = sum / count / scale;
  // Rounding can carry the mean of the largest numbers past them.
  return Math.min(Math.max(mean, -Number.MAX_VALUE), Number.MAX_VALUE);
}
