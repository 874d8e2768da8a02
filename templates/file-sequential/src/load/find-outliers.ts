/** So many values on either side are a value's neighbours. */
const reach = 4;

/**
 * The places of values that lie far from the median of their neighbours, measured in robust
 * standard deviations (1.4826 times the median of the absolute deviations) of the whole series.
 */
export function findOutliers(values: readonly (number | undefined)[], threshold: number): number[] {
  const deviations = values.map((value, at) => {
    const neighbours = values.slice(Math.max(0, at - reach), at + reach + 1).filter(isKnown);
    return value === undefined ? undefined : Math.abs(value - median(neighbours));
  });
  const scale = 1.4826 * median(deviations.filter(isKnown));
  // A series that never changes has no scale to measure with.
  if (!(scale > 0)) return [];
  return deviations.flatMap((deviation, at) =>
    deviation !== undefined && deviation > threshold * scale ? [at] : [],
  );
}

function isKnown(value: number | undefined): value is number {
  return value !== undefined;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}
