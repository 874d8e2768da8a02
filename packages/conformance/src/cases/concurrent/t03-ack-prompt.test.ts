import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { runSuite } from "../../engine/run.ts";
import type { Sample } from "../../target/sample.ts";
import { ackPrompt } from "./t03-ack-prompt.ts";

const work_ms = 1150;

const slow: Sample = {
  method: "Compute",
  name: "slow",
  mode: "concurrent",
  sink: false,
  inputs: [],
  parameters: undefined,
  expect: "complete",
  at_least_ms: 2000,
  max_duration_ms: 10_000,
  compare: {},
};

/** Answers `running` at once; then its one thread works, and listens to nobody, or waits. */
async function start(blocks: boolean): Promise<string> {
  const ends = new Map<string, number>();
  let busyUntil = 0;
  const server = createServer(async (request, response) => {
    const [, , what, id = ""] = (request.url ?? "").split("/");
    const arrived = Date.now();
    // One event loop that works is deaf for that time.
    if (blocks && arrived < busyUntil) await new Promise((next) => setTimeout(next, busyUntil - arrived));
    const answer = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body));
    if (what === "execute") {
      const task_id = `t${ends.size}`;
      ends.set(task_id, Date.now() + work_ms);
      answer(200, { status: "running", task_id });
      busyUntil = Date.now() + work_ms;
      return;
    }
    const end = ends.get(id);
    if (end === undefined) return void answer(404, { detail: "not found" });
    const isOver = Date.now() >= end;
    if (what === "status") return void answer(200, { status: isOver ? "complete" : "running" });
    answer(isOver ? 200 : 400, { output: { protocol: "inline", uri: "e30=", format: "json" } });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it.each([
  ["an event loop that works is deaf to polls", true, ["E_BLOCKED"]],
  ["work in the background is not in the way", false, []],
])(
  "%s",
  async (_what, blocks, expected) => {
    const { results } = await runSuite({ url: await start(blocks), samples: [slow], cases: [ackPrompt] });
    expect(results[0]?.findings.map(({ code }) => code)).toEqual(expected);
    expect(results[0]?.status).toBe(blocks ? "warn" : "pass");
  },
  20_000,
);
