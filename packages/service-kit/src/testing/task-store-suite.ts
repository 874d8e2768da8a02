import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Retention, TaskStore } from "../stores/task-store.ts";
import { createExecution, type Execution, hasEnded } from "../tasks/execution.ts";
import { waitFor } from "../tasks/wait-for.ts";

let serial = 0;

function execution(fields: Partial<Execution> = {}, key?: string): Execution {
  const { task_id = "t", workflow_id = "w", fingerprint = "same", created_at = 0 } = fields;
  const request = { workflow_id, task_id, method: "Work" };
  return {
    ...createExecution(`h-${++serial}`, request, "concurrent", fingerprint, created_at, key),
    ...fields,
  };
}

/** What every task store must do; each one's test calls this. */
export function describeTaskStore(name: string, create: (retention?: Retention) => Promise<TaskStore>): void {
  async function open(retention?: Retention): Promise<TaskStore> {
    const store = await create(retention);
    onTestFinished(() => store.close());
    return store;
  }

  describe(`${name} as a task store`, () => {
    it("finds by handle, and the newest by raw task_id", async () => {
      const store = await open();
      const [first, second] = [execution({ workflow_id: "a" }), execution({ workflow_id: "b" })];
      await store.begin(first, undefined);
      await store.begin(second, undefined);
      expect(await store.find(first.handle)).toMatchObject({ workflow_id: "a" });
      expect(await store.find("t")).toMatchObject({ handle: second.handle });
      expect(await store.find("none")).toBeUndefined();
    });

    it("never changes what has ended, and never lets progress fall", async () => {
      const store = await open();
      const { handle } = execution();
      const begun = await store.begin(execution({ handle }), undefined);
      expect(begun.outcome).toBe("started");
      await store.update(handle, { progress: 50 });
      expect(await store.update(handle, { progress: 20, message: "late" })).toMatchObject({
        progress: 50,
        message: "late",
      });
      expect(await store.update(handle, { status: "complete", ended_at: 1 })).toMatchObject({
        progress: 100,
      });
      expect(await store.update(handle, { status: "failed", error: "Cancelled" })).toBeUndefined();
      expect(await store.find(handle)).toMatchObject({ status: "complete", error: null, steps: [0, 50] });
      expect(await store.update("none", { progress: 1 })).toBeUndefined();
    });

    it("tells subscribers every change, until they stop listening", async () => {
      const store = await open();
      const { handle } = (await store.begin(execution(), undefined)).execution;
      const seen: number[] = [];
      const stop = store.subscribe(handle, ({ progress }) => seen.push(progress));
      await store.update(handle, { progress: 10 });
      await store.update(handle, { progress: 20 });
      await expect.poll(() => seen).toEqual([10, 20]);
      stop();
      await store.update(handle, { status: "complete", ended_at: 1 });
      expect(seen).toEqual([10, 20]);
    });

    it("wakes who waits on a snapshot that is older than the store", async () => {
      const store = await open();
      const { execution: begun } = await store.begin(execution(), undefined);
      const stale = { ...begun };
      await store.update(begun.handle, { status: "complete", ended_at: 1 });
      const limits = { wait_s: 60, signals: [] };
      expect(await waitFor(store, stale, hasEnded, limits)).toMatchObject({ status: "complete" });
    });

    it("keeps of an ended request what a key can ask for, and no more", async () => {
      const store = await open();
      const end = async (key: string | undefined) => {
        const { handle } = (await store.begin(execution({ task_id: `t-${key}` }, key), key)).execution;
        await store.update(handle, { status: "complete", ended_at: 1 });
        return (await store.find(handle))?.fingerprint;
      };
      expect(await end("k")).toBe("same");
      expect(await end(undefined)).toBe("");
    });

    it("drops by age and number, but nothing that runs or ended within a minute", async () => {
      const store = await open({ max_tasks: 1, max_age_s: 1000 });
      const ended = async (created_at: number, ended_at: number) => {
        const { handle } = (
          await store.begin(execution({ created_at, task_id: `t${created_at}` }), undefined)
        ).execution;
        await store.update(handle, { status: "complete", ended_at });
        return handle;
      };
      const running = (await store.begin(execution({ task_id: "r" }), undefined)).execution.handle;
      const handles = [await ended(1, 10), await ended(2, 20), await ended(3, 30)];
      expect(await store.prune(50_000)).toEqual([]);
      const dropped = await store.prune(60_025);
      expect(dropped.map(({ handle }) => handle)).toEqual(handles.slice(0, 2));
      expect(await store.find(handles[0] as string)).toBeUndefined();
      expect(await store.find("t1")).toBeUndefined();
      expect((await store.prune(2_000_000)).map(({ handle }) => handle)).toEqual(handles.slice(2));
      expect(await store.find(running)).toMatchObject({ status: "running" });
    });

    it("drops the oldest when inline outputs grow too large", async () => {
      const store = await open({ max_bytes: 3000 });
      for (const task_id of ["a", "b"]) {
        const { handle } = (await store.begin(execution({ task_id }), undefined)).execution;
        const output = { protocol: "inline", uri: "AAAA".repeat(500), format: "json" } as const;
        await store.update(handle, { status: "complete", ended_at: 1, output });
      }
      expect((await store.prune(100_000)).map(({ task_id }) => task_id)).toEqual(["a"]);
    });

    it("drops those that ended first when files grow too large, but nothing that ended within a minute", async () => {
      const store = await open({ max_payload_bytes: 250 });
      const end = async (task_id: string, ended_at: number, folder_bytes: number) => {
        const { handle } = (await store.begin(execution({ task_id }), undefined)).execution;
        await store.update(handle, { status: "complete", ended_at, folder_bytes });
      };
      await end("second", 2000, 100);
      await end("first", 1000, 100);
      await end("without files", 500, 0);
      await end("third", 3000, 100);
      await end("large", 4000, 1000);
      const prune = async (now: number) => (await store.prune(now)).map(({ task_id }) => task_id);
      expect(await prune(60_999)).toEqual([]);
      expect(await prune(62_000)).toEqual(["first", "second"]);
      expect(await prune(64_000)).toEqual(["third", "large"]);
      expect(await prune(64_000)).toEqual([]);
      expect(await store.find("without files")).toBeDefined();
    });

    it("keeps the rules of safe retry for any sequence of calls (R-IDEM-01 to 06)", async () => {
      const step = fc.record({
        workflow_id: fc.constantFrom("w1", "w2"),
        task_id: fc.constantFrom("t1", "t2"),
        fingerprint: fc.constantFrom("x", "y"),
        key: fc.constantFrom(undefined, "k1", "k2"),
        end: fc.boolean(),
      });
      const store = await open();
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
          // Every run has names of its own, so that all of them can use one store.
          const run = ++serial;
          /** What the contract says, kept as plainly as possible. */
          const model: {
            scope: string;
            handle: string;
            fingerprint: string;
            keys: Set<string>;
            running: boolean;
          }[] = [];
          for (const { workflow_id, task_id: name, fingerprint, key, end } of steps) {
            const task_id = `${name}-${run}`;
            const candidate = execution({ workflow_id, task_id, fingerprint }, key);
            const begun = await store.begin(candidate, key);
            const scope = `${workflow_id}/${task_id}`;
            const siblings = model.filter((known) => known.scope === scope);
            const keyed = key === undefined ? undefined : siblings.find(({ keys }) => keys.has(key));
            const running = siblings.findLast((known) => known.running && known.fingerprint === fingerprint);
            if (keyed !== undefined) {
              expect(begun.outcome).toBe(keyed.fingerprint === fingerprint ? "replayed" : "mismatch");
              expect(begun.execution.handle).toBe(keyed.handle);
            } else if (running !== undefined) {
              expect(begun).toMatchObject({ outcome: "attached", execution: { handle: running.handle } });
              if (key !== undefined) running.keys.add(key);
            } else {
              expect(begun).toMatchObject({ outcome: "started", execution: { handle: candidate.handle } });
              model.push({
                scope,
                handle: candidate.handle,
                fingerprint,
                keys: new Set(key ? [key] : []),
                running: true,
              });
            }
            const newest = model.findLast((known) => known.scope.endsWith(`/${task_id}`));
            expect((await store.find(task_id))?.handle).toBe(newest?.handle);
            const last = model.at(-1);
            if (end && last?.running) {
              last.running = false;
              await store.update(last.handle, { status: "complete", ended_at: 1 });
            }
          }
        }),
      );
    });
  });
}
