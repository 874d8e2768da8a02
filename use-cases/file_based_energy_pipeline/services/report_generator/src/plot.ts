import { numberTicks, timeTicks } from "./axis.ts";
import type { Summary } from "./summarize.ts";
import type { Bucket } from "./timeline.ts";

const frame = { width: 960, height: 400, left: 76, right: 16, top: 14, bottom: 56 };

/** The consumption as an SVG: a band from least to most, a line for the mean, dots for anomalies. */
export function toPlot({ buckets, axis }: Pick<Summary, "buckets" | "axis">): string {
  const first = buckets[0];
  const last = buckets.at(-1);
  if (first === undefined || last === undefined)
    return "<p>No reading has a timestamp that could be plotted.</p>";

  const levels = numberTicks(
    buckets.reduce((low, { min }) => Math.min(low, min), 0),
    buckets.reduce((high, { max }) => Math.max(high, max), 0),
  );
  const x = scale([first.from, last.to], [frame.left, frame.width - frame.right]);
  const bottom = frame.height - frame.bottom;
  const y = scale([levels[0]?.value ?? 0, levels.at(-1)?.value ?? 1], [bottom, frame.top]);
  const middle = ({ from, to }: Bucket) => x((from + to) / 2);

  const times = axis === "time" ? timeTicks(first.from, last.to) : numberTicks(first.from, last.to, 8);
  const inside = times.filter(({ value }) => value >= first.from && value <= last.to);
  const grid = levels.map(
    ({ value, label }) =>
      `<line class="grid" x1="${frame.left}" x2="${frame.width - frame.right}" y1="${y(value)}" y2="${y(value)}"/>` +
      `<text class="level" x="${frame.left - 8}" y="${y(value)}">${label}</text>`,
  );
  const marks = inside.map(
    ({ value, label }) =>
      `<line class="tick" x1="${x(value)}" x2="${x(value)}" y1="${bottom}" y2="${bottom + 5}"/>` +
      `<text class="time" x="${x(value)}" y="${bottom + 20}">${label}</text>`,
  );
  const upper = buckets.map((bucket) => `${middle(bucket)},${y(bucket.max)}`);
  const lower = buckets.map((bucket) => `${middle(bucket)},${y(bucket.min)}`).reverse();
  const means = buckets.map((bucket) => `${middle(bucket)},${y(bucket.mean)}`);
  const anomalies = buckets
    .filter((bucket) => bucket.anomalies > 0)
    .map(
      (bucket) =>
        `<circle class="anomaly" cx="${middle(bucket)}" cy="${y(bucket.highest_anomaly)}" r="3.5">` +
        `<title>${bucket.anomalies} of ${bucket.count} readings, up to ${bucket.highest_anomaly.toFixed(2)} W</title></circle>`,
    );
  // A line needs two points; few buckets are easier to see as dots anyway.
  const dots = buckets.length > 60 ? [] : means.map((point) => circle(point));
  return `<svg viewBox="0 0 ${frame.width} ${frame.height}" role="img" aria-label="Power per reading over ${axis === "time" ? "time" : "the rows"}, anomalies marked">
${grid.join("\n")}
${marks.join("\n")}
<polygon class="band" points="${[...upper, ...lower].join(" ")}"/>
<polyline class="mean" points="${means.join(" ")}"/>
${[...dots, ...anomalies].join("\n")}
<text class="unit" x="${(frame.left + frame.width - frame.right) / 2}" y="${frame.height - 8}">${axis === "time" ? "Time (UTC)" : "Row"}</text>
<text class="unit" transform="translate(16 ${(frame.top + bottom) / 2}) rotate(-90)">Power per reading (W)</text>
</svg>`;
}

function circle(point: string): string {
  const [x, y] = point.split(",");
  return `<circle class="dot" cx="${x}" cy="${y}" r="2.5"/>`;
}

function scale([from, to]: [number, number], [start, end]: [number, number]): (value: number) => number {
  // Halves, because the difference of two large numbers would be Infinity.
  const half = to / 2 - from / 2 || 1;
  return (value) => Math.round((start + ((value / 2 - from / 2) / half) * (end - start)) * 10) / 10;
}
