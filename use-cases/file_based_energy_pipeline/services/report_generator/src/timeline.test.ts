import * as fc from "fast-check";
import { expect, it } from "vitest";
import { createTimeline } from "./timeline.ts";

const reading = fc.record({
  position: fc.integer({ min: -1e12, max: 1e13 }),
  power: fc.integer({ min: -100, max: 5000 }),
  anomaly: fc.boolean(),
});

it("keeps few buckets that together hold every reading, in whatever order they come", () => {
  fc.assert(
    fc.property(
      fc.array(reading, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 2, max: 12 }),
      (readings, most) => {
        const timeline = createTimeline(most);
        for (const { position, power, anomaly } of readings) timeline.add(position, power, anomaly);
        const buckets = timeline.buckets();
        expect(buckets.length).toBeLessThanOrEqual(most);
        expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(readings.length);
        for (const bucket of buckets) {
          const inside = readings.filter(({ position }) => position >= bucket.from && position < bucket.to);
          const powers = inside.map(({ power }) => power);
          const anomalies = inside.filter(({ anomaly }) => anomaly);
          expect(bucket).toMatchObject({
            count: inside.length,
            min: Math.min(...powers),
            max: Math.max(...powers),
            mean: powers.reduce((sum, power) => sum + power, 0) / powers.length,
            anomalies: anomalies.length,
            highest_anomaly: Math.max(...anomalies.map(({ power }) => power)),
          });
        }
      },
    ),
  );
});

it("keeps buckets as narrow as the span allows", () => {
  const timeline = createTimeline(10);
  for (let position = 0; position < 10; position += 1) timeline.add(position, 1, false);
  expect(timeline.buckets()).toHaveLength(10);
  timeline.add(10, 1, false);
  expect(timeline.buckets().map(({ from }) => from)).toEqual([0, 2, 4, 6, 8, 10]);
});
