import { expect, it } from "vitest";
import { watchQuiet } from "./lag.ts";

it("sees that the harness itself was late", async () => {
  const quietOf = watchQuiet();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const until = performance.now() + 250;
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const { quiet, lag_ms } = quietOf();
  expect(quiet).toBe(false);
  expect(lag_ms).toBeGreaterThan(150);
});
