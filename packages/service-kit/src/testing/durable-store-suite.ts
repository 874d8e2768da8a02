import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempFolder, until } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Retention, TaskStore } from "../stores/task-store.ts";
import { createExecution, type Execution, type ExecutionChange } from "../tasks/execution.ts";

let serial = 0;

function execution(task_id: string, key?: string, correlation_id?: string): Execution {
  const request = { workflow_id: "w", task_id, method: "Work" };
  return createExecution(`d-${++serial}`, request, "sequential", "same", serial, key, correlation_id);
}

/**
 * What every store must do that outlives its process. `place` makes a place for state and gives what
 * opens a store there; it is opened again and again, each time after the one before was closed.
 */
export function describeDurableStore(
  name: string,
  place: () => Promise<(retention?: Retention) => TaskStore>,
): void {
  /** Opens stores in one place; each closes the one before. */
  async function openings() {
    const create = await place();
    let last: TaskStore | undefined;
    onTestFinished(async () => last?.close());
    return async (retention?: Retention) => {
      await last?.close();
      last = create(retention);
      await last.ready();
      return last;
    };
  }

  async function end(store: TaskStore, task_id: string, change: ExecutionChange = {}, key?: string) {
    const { execution: begun } = await store.begin(execution(task_id, key), key);
    await store.update(begun.handle, { status: "complete", ended_at: 1, ...change });
    return begun.handle;
  }

  describe(`${name} as a durable store`, () => {
    it("has all of an ended execution when it is opened again", async () => {
      const reopen = await openings();
      const store = await reopen();
      // Texts that a database could cut, join or refuse.
      const odd = "NUL \0, half a pair \ud800, quote ' \" and \u{1f600}";
      const begun = execution(odd, "key", "correlated");
      await store.begin(begun, "key");
      await store.update(begun.handle, { progress: 30, message: odd, folder: "/data/w/t" });
      await store.answered(begun.handle, "end");
      const output = {
        protocol: "http",
        uri: "http://a/b",
        format: "csv",
        metadata: { odd, n: 1.5 },
      } as const;
      const payload = { path: "/data/w/t/output.csv", format: "csv", size_bytes: 7 } as const;
      const change = { output, payload, folder_bytes: 7, status: "complete", ended_at: 12 } as const;
      const ended = await store.update(begun.handle, change);
      expect(ended).toMatchObject({ ...change, progress: 100, steps: [0, 30], correlation_id: "correlated" });
      const before = structuredClone(ended);
      const again = await (await reopen()).find(begun.handle);
      expect(again).toEqual(before);
      expect(Object.keys(again as Execution)).toEqual(Object.keys(begun));
    });

    it("tells names apart that differ in no more than what a database could lose", async () => {
      const store = await (await openings())();
      const names = [
        "t",
        "t\0",
        "t\0x",
        "t\ud800",
        "t\ud801",
        "t\ufffd",
        "T",
        " t",
        "t ",
        "\u00e9",
        "e\u0301",
      ];
      for (const task_id of names) await store.begin(execution(task_id), undefined);
      const found = await Promise.all(names.map((task_id) => store.find(task_id)));
      expect(found.map((one) => one?.task_id)).toEqual(names);
    });

    it("still knows keys, first answers, and which is the newest of a name", async () => {
      const reopen = await openings();
      const first = await reopen();
      const keyed = await end(first, "t", { error: "refused", status: "failed" }, "key");
      await first.answered(keyed, "end");
      const newest = await end(first, "t");
      const second = await reopen();
      expect(await second.find("t")).toMatchObject({ handle: newest });
      expect(await second.begin(execution("t", "key"), "key")).toMatchObject({
        outcome: "replayed",
        execution: { handle: keyed, first_answer: "end", error: "refused" },
      });
      const other = { ...execution("t", "key"), fingerprint: "other" };
      expect((await second.begin(other, "key")).outcome).toBe("mismatch");
      const started = await second.begin(execution("t"), undefined);
      expect(started.outcome).toBe("started");
      expect(await (await reopen()).find("t")).toMatchObject({ handle: started.execution.handle });
    });

    it("fails what ran when its process ended, so that it can be sent again (R-LOST-01)", async () => {
      const reopen = await openings();
      const first = await reopen();
      const running = (await first.begin(execution("t", "key"), "key")).execution.handle;
      const folder = await tempFolder();
      await mkdir(join(folder, "deep"));
      await writeFile(join(folder, "deep", "half"), "1234567");
      await first.update(running, { progress: 40, folder });
      const second = await reopen();
      const lost = await until("the task to be lost", async () => {
        const found = await second.find(running);
        return found?.status === "failed" ? found : undefined;
      });
      // Its files count as those of any other that ended.
      const files = { folder, folder_bytes: 7 };
      expect(lost).toMatchObject({ retryable: true, progress: 40, steps: [0, 40], ...files });
      expect(lost.error).toMatch(/lost|stopped/i);
      expect(lost.ended_at).toBeGreaterThan(0);
      expect(await second.update(running, { status: "complete" })).toBeUndefined();
      expect((await second.begin(execution("t", "key"), "key")).outcome).toBe("replayed");
      expect((await second.begin(execution("t"), undefined)).outcome).toBe("started");
    });

    it("gives the folders that a process noted and never forgot to the next one", async () => {
      const reopen = await openings();
      const first = await reopen();
      const folder = await tempFolder();
      const noted = (name: string) => ({ folder: join(folder, name), handle: `h-${name}`, mark: "1:2" });
      for (const name of ["left \0\ud800 ", "kept"]) await first.folders?.note(noted(name));
      expect(await first.folders?.takeOver()).toEqual([]);
      expect(await first.folders?.forget(noted("kept").folder)).toBe(true);
      expect(await first.folders?.forget(noted("kept").folder)).toBe(false);
      const second = await reopen();
      const left = await until("the note to be taken over", async () => {
        const found = await second.folders?.takeOver();
        return found?.length ? found : undefined;
      });
      expect(left).toEqual([noted("left \0\ud800 ")]);
      // It is this one's now, and no third one's.
      expect(await second.folders?.takeOver()).toEqual([]);
      expect(await second.folders?.forget(noted("left \0\ud800 ").folder)).toBe(true);
      expect(await (await reopen()).folders?.takeOver()).toEqual([]);
    });

    it("goes on keeping no more than retention allows", async () => {
      const reopen = await openings();
      const first = await reopen();
      for (const task_id of ["a", "b", "c"]) await end(first, task_id, { folder_bytes: 10 });
      const dropped = async (retention: Retention) =>
        (await (await reopen(retention)).prune(100_000)).map(({ task_id }) => task_id);
      expect(await dropped({ max_tasks: 2 })).toEqual(["a"]);
      expect(await dropped({ max_payload_bytes: 15 })).toEqual(["b"]);
      expect(await dropped({ max_age_s: 61 })).toEqual(["c"]);
      expect(await dropped({ max_tasks: 1 })).toEqual([]);
    });
  });
}
