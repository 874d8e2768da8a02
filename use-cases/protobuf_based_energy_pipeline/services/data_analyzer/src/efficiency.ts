/** A current below this one is taken for this one, in A: dividing by it makes sense. */
const least_current = 0.001;

/**
 * How well the current fits power and voltage, from 0 to 1: 1 without a difference, 0 where it is as
 * large as the current that was to be expected. Without a voltage no current is expected.
 *
 * @returns NaN where the numbers are too large, or too small, to tell
 */
export function efficiencyOf(power: number, voltage: number, current: number): number {
  const expected = voltage === 0 ? 0 : power / voltage;
  const efficiency = 1 - Math.abs(expected - current) / Math.max(expected, least_current);
  // NaN stays NaN here.
  return Math.min(Math.max(efficiency, 0), 1);
}
