import { expect, it } from "vitest";
import { startService } from "../../test/start-service.ts";
import type { FeederReadings } from "../feeder/meter.ts";

it("reads hours one after the other", async () => {
  const { run } = await startService();
  const { message } = await run<FeederReadings>("ReadFeeder", { parameters: { hours: 48 } });
  expect(message.readings).toHaveLength(48 * 4);
  expect(message.readings[0]?.timestamp).toBe("2025-01-06T00:00:00.000Z");
  expect(message.readings.at(-1)?.timestamp).toBe("2025-01-07T23:45:00.000Z");
  for (const { voltage, load } of message.readings) {
    expect(voltage).toBeGreaterThan(200);
    expect(load).toBeGreaterThan(0);
  }
});

it("gives the same readings for the same seed, and others for another", async () => {
  const { run } = await startService();
  const read = async (seed: number) =>
    (await run<FeederReadings>("ReadFeeder", { parameters: { hours: 2, seed } })).message;
  expect(await read(1)).toEqual(await read(1));
  expect(await read(2)).not.toEqual(await read(1));
});

it("refuses parameters that make no sense", async () => {
  const { run } = await startService();
  await expect(run("ReadFeeder", { parameters: { hours: 0 } })).rejects.toThrow("hours");
});
