/** Two replicas share their tasks in Redis; one is killed in the middle, and no caller notices more than a task to send again. */
import { setTimeout as pause } from "node:timers/promises";
import type { DataReference, ExecuteResponse, StatusResponse } from "@aieffect/control-interface";
import { hasRedis, needs, startRedis, tempFolder, until } from "@aieffect/test-support";
import { Redis } from "ioredis";
import { expect, it } from "vitest";
import { startBalancer } from "./balancer.ts";
import { scale } from "./scale.ts";
import { spawnService } from "./spawn-service.ts";

const tasks = scale({ short: 150, full: 1000 });
const lease_ms = 1500;

it.skipIf(needs("redis-server", hasRedis()))(
  `${tasks} tasks end rightly although one of two replicas is killed`,
  async () => {
    const redis = await startRedis();
    const balancer = await startBalancer();
    const env = {
      TASK_STORE: redis.url,
      DATA_DIR: await tempFolder(),
      SELF_URL: balancer.url,
    };
    const replicas = ["one", "other"].map(() => spawnService("replica", env, [], [String(lease_ms)]));
    balancer.replicas.push(...(await Promise.all(replicas.map((replica) => replica.listening()))));
    const [killed = "", left = ""] = balancer.replicas;

    const counts = { submitted: 0, polled: 0, lost: 0, complete: 0, asked_again: 0 };

    /** A call of somebody who asks again when a replica broke off in the middle of it. */
    async function call<T>(path: string, init?: RequestInit): Promise<T> {
      for (;;) {
        const cut = { status: 502, text: "" };
        const { status, text } = await fetch(balancer.url + path, init)
          .then(async (response) => ({ status: response.status, text: await response.text() }))
          .catch(() => cut);
        if (status !== 502) {
          expect({ path, status, text }).toMatchObject({ path, status: 200 });
          return JSON.parse(text) as T;
        }
        counts.asked_again++;
      }
    }

    async function submit(workflow_id: string, task_id: string, attempt: number): Promise<string> {
      counts.submitted++;
      const answer = await call<ExecuteResponse>("/control/execute", {
        method: "POST",
        headers: { "idempotency-key": `${workflow_id}-${attempt}` },
        body: JSON.stringify({ method: "Tell", workflow_id, task_id }),
      });
      // What began on the replica that died can be known as lost already.
      if (answer.status === "failed")
        expect(answer).toMatchObject({ error: expect.stringMatching(/stopped/) });
      return answer.status === "running" ? (answer.task_id as string) : "";
    }

    async function follow(handle: string): Promise<StatusResponse> {
      for (let seen = 0; ; ) {
        const status = await call<StatusResponse>(`/control/status/${handle}`);
        counts.polled++;
        expect(status.progress).toBeGreaterThanOrEqual(seen);
        seen = status.progress;
        if (status.status !== "running") return status;
        await pause(20 + Math.random() * 80);
      }
    }

    async function complete(index: number): Promise<void> {
      // The same few task_ids in every workflow, as the deployed orchestrator sends them.
      const [workflow_id, task_id] = [`wf-${index}`, `task-${index % 7}`];
      for (let attempt = 0; ; attempt++) {
        const handle = await submit(workflow_id, task_id, attempt);
        const status: StatusResponse | undefined = handle === "" ? undefined : await follow(handle);
        if (status?.status === "complete") {
          const { output } = await call<{ output: DataReference }>(`/control/output/${handle}`);
          const path = output.uri.slice(balancer.url.length);
          expect({ uri: output.uri, told: await call(path) }).toEqual({
            uri: `${balancer.url}/control/data/${handle}`,
            told: { workflow_id, task_id },
          });
          counts.complete++;
          return;
        }
        if (status !== undefined) {
          expect(status).toMatchObject({ retryable: true, error: expect.stringMatching(/stopped/) });
        }
        counts.lost++;
      }
    }

    const began = performance.now();
    const all = Promise.all(Array.from({ length: tasks }, (_, index) => complete(index)));
    await Promise.race([all, until("a fifth of the tasks", () => counts.complete >= tasks / 5, 300_000)]);
    const killed_after = counts.complete;
    await replicas[0]?.kill();
    const killed_at = performance.now();
    await all;

    const ready = (await (await fetch(`${left}/ready`)).json()) as { running: number };
    expect(ready).toMatchObject({ running: 0, waiting: 0 });
    const admin = new Redis(redis.url);
    const names = await admin.keys("*");
    admin.disconnect();
    expect(names.filter((name) => /:running-(on|as)/.test(name))).toEqual([]);
    expect(counts.complete).toBe(tasks);
    expect(counts.lost).toBeGreaterThan(0);
    expect(balancer.answered.get(killed)).toBeGreaterThan(0);
    expect(balancer.answered.get(left)).toBeGreaterThan(0);
    console.log(
      `replicas: ${tasks} tasks, one of two replicas killed after ${killed_after}; ${counts.lost} were lost and sent again, ` +
        `${counts.complete} ended complete with their own output, ${counts.polled} polls, ` +
        `${counts.asked_again} calls cut, ${balancer.passedOn()} passed on; ` +
        `${Math.round(killed_at - began)} ms before the kill, ${Math.round(performance.now() - killed_at)} ms after`,
    );
  },
);
