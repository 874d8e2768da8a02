/** Text from a service without what a terminal would act on; lines stay lines. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (one) =>
    one === "\t" || one === "\n" ? one : "\uFFFD",
  );
}

/** On one line, and no longer than that. */
export function oneLine(text: string, longest = 500): string {
  const line = printable(text).replace(/\s*\n\s*/g, " ");
  return line.length > longest ? `${line.slice(0, longest)}...` : line;
}

/** As in `12 ms`, `3.4 s`. */
export function spell(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
