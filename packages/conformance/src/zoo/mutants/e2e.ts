import { setTimeout as pause } from "node:timers/promises";
import { onStatus } from "../faults.ts";
import { defineMutants } from "../mutant.ts";
import type { Made, Task } from "../pristine.ts";

/** Faults that show only when an orchestrator drives real workflows. */
export const e2eMutants = defineMutants(
  {
    id: "ids-as-file-names",
    breaks: "E01",
    code: "E_WORKFLOW_FAILED",
    summary: "takes for broken a task_id that has the orchestrator's form, with no dash in it",
    fault: (fired) => ({
      work(task, next) {
        if (!/^task_[0-9a-f]{16}$/.test(task.body.task_id)) return next();
        fired();
        throw new Error(`Expected a task_id as in name-7, found ${task.body.task_id}`);
      },
    }),
  },
  {
    id: "cannot-read-own-output",
    breaks: "E02",
    code: "E_WORKFLOW_FAILED",
    summary: "takes one request at a time, so that it cannot fetch its own payload while it works on a call",
    fault(fired) {
      let service = "";
      return {
        server(_server, state) {
          setImmediate(() => (service = state.url()));
        },
        input(reference, next) {
          if (reference.protocol !== "http" || !reference.uri.startsWith(service)) return next();
          fired();
          throw new Error("The input did not answer within 30 s");
        },
      };
    },
  },
  {
    id: "keyed-by-workflow-and-method",
    breaks: "E03",
    code: "E_WRONG_OUTPUT",
    summary: "keeps results by workflow and method, so that two nodes of one method share one",
    fault(fired) {
      const results = new Map<string, Promise<Made>>();
      return {
        work(task, next) {
          const { workflow_id, method } = task.body;
          const key = `${workflow_id} ${method}`;
          const known = results.get(key);
          // Between the two nodes of one workflow, and no two calls of the same task.
          if (known !== undefined && /^task_[0-9a-f]{16}$/.test(task.body.task_id)) {
            fired();
            return known;
          }
          const made = next();
          results.set(key, made);
          return made;
        },
      };
    },
  },
  {
    id: "fetches-into-one-file",
    breaks: "E04",
    code: "E_WRONG_OUTPUT",
    summary: "fetches inputs into one temporary file, whoever they are for",
    fault(fired) {
      let file: Buffer = Buffer.alloc(0);
      let fetching = 0;
      return {
        async input(reference, next) {
          const bytes = await next();
          if (reference.protocol !== "http" || !reference.uri.includes("/control/data/")) return bytes;
          file = bytes;
          if (++fetching > 1) fired();
          await pause(150);
          fetching--;
          return file;
        },
      };
    },
  },
  {
    id: "failure-fails-the-workflow",
    breaks: "E05",
    code: "E_WORKFLOW_FAILED",
    summary: "fails all tasks of a workflow when one of them fails",
    fault(fired) {
      const running = new Set<Task>();
      return {
        work(task, next) {
          running.add(task);
          return next();
        },
        end(task, change, next) {
          running.delete(task);
          next();
          if (change.status !== "failed") return;
          for (const other of running) {
            if (other.body.workflow_id !== task.body.workflow_id) continue;
            fired();
            other.abort.abort();
          }
        },
      };
    },
  },
  {
    id: "limits-long-polls",
    breaks: "E06",
    code: "E_WORKFLOW_FAILED",
    summary: "answers 429 to the third poll of a task that asks to be held back, which it does not know",
    service: { extensions: ["idempotency", "cancel"] },
    fault(fired) {
      const polls = new Map<string, number>();
      return {
        async call(call, next) {
          if (!onStatus.test(call.path) || call.headers.prefer === undefined) return next();
          const count = (polls.get(call.path) ?? 0) + 1;
          polls.set(call.path, count);
          if (count < 3) return next();
          fired();
          return { status: 429, body: { detail: "Too many requests" } };
        },
      };
    },
  },
);
