/** So many records are a piece: 60 to 200 kB as a message. */
const records_per_piece = 1000;

/** Records in arrays of 1,000, the last one of what is left. */
export function* inPieces<T>(records: Iterable<T>): Generator<T[]> {
  let piece: T[] = [];
  for (const record of records) {
    piece.push(record);
    if (piece.length < records_per_piece) continue;
    yield piece;
    piece = [];
  }
  if (piece.length > 0) yield piece;
}
