/** Mean and deviation of numbers. */
export interface Spread {
  readonly mean: number;
  /** The sample standard deviation; 0 of fewer than two numbers. */
  readonly deviation: number;
}

/** Numbers that pass by. */
export interface SpreadMeter {
  add(value: number): void;
  /** Of the numbers so far; Infinity or NaN where they are too large. */
  result(): Spread;
}

/** Measures the spread of numbers in one pass, without the loss of digits that a sum of squares brings (Welford 1962). */
export function createSpreadMeter(): SpreadMeter {
  let count = 0;
  let mean = 0;
  let squares = 0;
  return {
    add(value) {
      count += 1;
      const before = value - mean;
      mean += before / count;
      squares += before * (value - mean);
    },
    result: () => ({ mean, deviation: count < 2 ? 0 : Math.sqrt(squares / (count - 1)) }),
  };
}
