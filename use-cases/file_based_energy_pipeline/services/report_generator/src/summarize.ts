import type { Source } from "../../../csv/decode.ts";
import { readAnalysedRows } from "./analysed-rows.ts";
import { createMetrics, type Metric } from "./metrics.ts";
import { readTime } from "./read-time.ts";
import { type Bucket, createTimeline } from "./timeline.ts";

/** All that the report says. */
export interface Summary {
  metrics: readonly Metric[];
  /** Consumption over time, or over the rows of the file. */
  buckets: readonly Bucket[];
  /** `row` when the first timestamp could not be read as a point in time. */
  axis: "time" | "row";
  /** Readings that are in the metrics but not in the plot, because their timestamp could not be read. */
  unplotted: number;
}

/** Sums an analysed CSV up in one pass and constant memory. */
export async function summarize(source: Source): Promise<Summary> {
  const metrics = createMetrics();
  const timeline = createTimeline();
  let axis: Summary["axis"] | undefined;
  let unplotted = 0;
  let row = 0;
  // All households report at the same time: most timestamps are the one before.
  let text: string | undefined;
  let time: number | undefined;
  for await (const batch of readAnalysedRows(source)) {
    for (const reading of batch) {
      metrics.add(reading);
      row += 1;
      if (axis !== "row" && reading.timestamp !== text) {
        text = reading.timestamp;
        time = readTime(text);
      }
      axis ??= time === undefined ? "row" : "time";
      const position = axis === "row" ? row : time;
      if (position === undefined) unplotted += 1;
      else timeline.add(position, reading.power, reading.anomaly);
    }
  }
  return { metrics: metrics.result(), buckets: timeline.buckets(), axis: axis ?? "row", unplotted };
}
