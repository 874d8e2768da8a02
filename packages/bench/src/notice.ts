import { get, type IncomingMessage } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { ControlClient } from "@aieffect/control-interface";
import { startServer } from "./child-server.ts";
import { type Bench, percentile } from "./figure.ts";
import { withTemporaryFolder } from "./leftovers.ts";
import { now } from "./shared-clock.ts";

/** Resolves as soon as its caller knows that the task has ended. */
type Caller = (client: ControlClient, url: string, handle: string) => Promise<void>;

interface Plan {
  name: string;
  caller: Caller;
  tasks: number;
  at_once: number;
  shortest_ms: number;
  longest_ms: number;
}

const poll_ms = 5000;
const long = { tasks: 200, at_once: 20, shortest_ms: 200, longest_ms: 700 };
const plans: readonly Plan[] = [
  { name: "long poll", caller: byLongPoll, ...long },
  { name: "event stream", caller: byEventStream, ...long },
  // Fewer, and as long as a pause between two polls, so that they end at any moment of it.
  {
    name: "5 s polls",
    caller: byPolling,
    tasks: 60,
    at_once: 60,
    shortest_ms: 200,
    longest_ms: 200 + poll_ms,
  },
];

/** What passes between the end of a task and the moment at which its caller knows. */
export const notice: Bench = {
  name: "notice",
  about:
    "ms from a task's end to its caller knowing: long poll, event stream, polls every 5 s as deployed; good: p99 of the long poll below 50",
  run: (report) =>
    withTemporaryFolder(async (folder) => {
      const server = await startServer("kit-nap", { DATA_DIR: folder });
      const client = new ControlClient({ base_url: server.url, max_idle_connections: 64 });
      const delays = new Map<string, number[]>();
      for (const plan of plans) delays.set(plan.name, await measure(plan, client, server.url));
      client.close();
      await server.stop();
      const polled = delays.get("5 s polls") ?? [];
      for (const [name, values] of [...delays].reverse()) {
        for (const percent of [50, 99]) {
          const value = percentile(values, percent);
          const compared =
            values === polled
              ? { baseline: null, ratio: null }
              : { baseline: "5 s polls", ratio: value / percentile(polled, percent) };
          report({ metric: `${name}, p${percent}`, value, unit: "ms", ...compared });
        }
      }
    }),
};

/** The delay of every task of a plan, in ms. */
async function measure(plan: Plan, client: ControlClient, url: string): Promise<number[]> {
  const { name, caller, tasks, at_once, shortest_ms, longest_ms } = plan;
  const delays: number[] = [];
  let next = 0;
  async function work(): Promise<void> {
    for (let task = next++; task < tasks; task = next++) {
      const ms = shortest_ms + Math.random() * (longest_ms - shortest_ms);
      const call = { method: "Nap", workflow_id: `wf-${name}`, task_id: `${task}`, parameters: { ms } };
      const answer = await client.execute(call);
      if (answer.task_id === undefined)
        throw new Error(`Expected the task to run, found ${JSON.stringify(answer)}`);
      await caller(client, url, answer.task_id);
      const known = now();
      const { uri } = await client.output(answer.task_id);
      delays.push(known - (JSON.parse(String(Buffer.from(uri, "base64"))) as { ended: number }).ended);
    }
  }
  await Promise.all(Array.from({ length: at_once }, work));
  return delays;
}

/** Asks again at once, and the service answers when there is news (R-WAIT-01). */
async function byLongPoll(client: ControlClient, _url: string, handle: string): Promise<void> {
  for (;;) {
    const { reading, waited } = await client.status(handle, { wait_s: 20 });
    if (reading.status === "complete") return;
    if (reading.status === "failed" || !waited) throw unexpected(reading);
  }
}

/** As the deployed orchestrator does (R-READ-11). */
async function byPolling(client: ControlClient, _url: string, handle: string): Promise<void> {
  for (;;) {
    await pause(poll_ms);
    const { reading } = await client.status(handle);
    if (reading.status === "complete") return;
    if (reading.status === "failed") throw unexpected(reading);
  }
}

/** Reads events until the one that says the end (R-EVT-04). */
async function byEventStream(_client: ControlClient, url: string, handle: string): Promise<void> {
  const headers = { accept: "text/event-stream" };
  const stream = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${url}/control/status/${handle}`, { headers }, resolve).on("error", reject);
  });
  let text = "";
  for await (const chunk of stream.setEncoding("utf8")) {
    text += chunk;
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data === undefined) continue;
      const status = JSON.parse(data) as { status: string };
      if (status.status === "complete") return;
      if (status.status === "failed") throw unexpected(status);
    }
  }
  throw new Error("Expected the event stream to tell the task's end, found it over before");
}

function unexpected(status: unknown): Error {
  return new Error(`Expected the task to go on or to be complete, found ${JSON.stringify(status)}`);
}
