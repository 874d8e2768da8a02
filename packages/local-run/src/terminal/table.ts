/** How {@link formatTable} lays out its columns. */
export interface TableOptions {
  /** Titles, with a line below. @default none */
  header?: readonly string[];
  /** Columns set flush right, counted from 0. @default none */
  right?: readonly number[];
  /** Text before each line. @default two blanks */
  indent?: string;
}

/** A table as text, columns as wide as their widest cell, without a line break at the end. */
export function formatTable(rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const { header, right = [], indent = "  " } = options;
  const all = header === undefined ? rows : [header, ...rows];
  const columns = Math.max(0, ...all.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...all.map((row) => row[column]?.length ?? 0)),
  );
  const toLine = (row: readonly string[]) => {
    const cells = widths.map((width, column) => {
      const cell = row[column] ?? "";
      return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
    });
    return `${indent}${cells.join("  ")}`.trimEnd();
  };
  const lines = rows.map(toLine);
  if (header !== undefined)
    lines.unshift(toLine(header), `${indent}${widths.map((width) => "-".repeat(width)).join("  ")}`);
  return lines.join("\n");
}

/** Bytes for people: `512 B`, `39.4 MB` (a MB has 1,000,000 bytes). */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
