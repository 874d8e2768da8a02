/** Maps many values a few at a time, because files that are open at once are counted. */
export async function inBatches<T, R>(values: readonly T[], map: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < values.length; at += size) {
    results.push(...(await Promise.all(values.slice(at, at + size).map(map))));
  }
  return results;
}

const size = 32;
