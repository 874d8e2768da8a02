import * as z from "zod";

/** The households that readings are generated for. */
export const households = ["HH-001", "HH-002", "HH-003", "HH-004", "HH-005"] as const;

/** What is generated. */
export interface Plan {
  num_records: number;
  seed: number;
  /** First timestamp, epoch ms. */
  start_ms: number;
  /** From one reading of a household to its next, in ms. */
  interval_ms: number;
}

/** The parameters that say what is generated; for `z.object()`. */
export const generationParameters = {
  num_records: z.int().min(1).max(50_000_000).default(10).describe("How many readings to generate"),
  seed: z.int().optional().describe("The same seed gives the same data; random and logged when absent"),
  start_time: z.iso
    .datetime({ offset: true })
    .default("2025-01-01T00:00:00Z")
    .describe("Time of the first reading, ISO 8601 with Z or an offset"),
  interval_s: z.int().min(1).max(86_400).default(900).describe("Seconds between two readings of a household"),
};

/** The plan of parameters. @param seed taken where they have none */
export function toPlan(
  { num_records, seed, start_time, interval_s }: z.infer<z.ZodObject<typeof generationParameters>>,
  random_seed: number,
): Plan {
  return {
    num_records,
    seed: seed ?? random_seed,
    start_ms: Date.parse(start_time),
    interval_ms: interval_s * 1000,
  };
}

/** A point in time as readings tell it: ISO 8601 in whole seconds, the shorter form. */
export function toTimestamp(time_ms: number): string {
  return `${new Date(time_ms).toISOString().slice(0, -5)}Z`;
}
