import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { runSuite } from "./run.ts";

it("comes to an end where a service never answers: what is left is not tested", async () => {
  let calls = 0;
  const server: Server = createServer(() => void calls++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { verdict, results } = await runSuite({ url, settings: { timeout_ms: 20, time_scale: 0.01 } });
  expect(verdict).toBe("NON-CONFORMANT");
  expect(results.at(-1)?.reason).toBeDefined();
  const lost = results.filter(({ reason }) => reason?.startsWith("the service gives no reply any more"));
  expect(lost.length).toBeGreaterThan(10);
  expect(new Set(lost.map(({ status }) => status))).toEqual(new Set(["untestable"]));
  expect(calls).toBeLessThan(150);
});
