import { setTimeout as pause } from "node:timers/promises";
import { onExecute } from "../faults.ts";
import { defineMutants } from "../mutant.ts";
import type { Task } from "../pristine.ts";

/** Holds what comes up until all before it is through, for so long each. */
function queue() {
  let last: Promise<unknown> = Promise.resolve();
  return {
    enter(ms: number): Promise<unknown> {
      last = last.then(() => pause(ms));
      return last;
    },
  };
}

/** Faults that cases of the profile performance have to catch, with a budget set. */
export const performanceMutants = defineMutants(
  {
    id: "ack-plus-300ms",
    rowless: true,
    breaks: "P01",
    code: "E_BUDGET",
    summary: "takes 300 ms for every answer to execute",
    settings: { budget: { "p95.ack": 50 } },
    fault: (fired) => ({
      async call(call, next) {
        if (!onExecute.test(call.path)) return next();
        fired();
        await pause(300);
        return next();
      },
    }),
  },
  {
    id: "status-linear-scan",
    breaks: "P02",
    code: "E_BUDGET",
    summary: "walks through all tasks for every status",
    settings: { budget: { "growth.poll": 5 } },
    fault(fired) {
      let tasks: Map<string, Task> = new Map();
      return {
        server(_server, state) {
          tasks = state.tasks;
        },
        find(_id, next) {
          fired();
          const until = performance.now() + 0.25 * Math.min(tasks.size, 100);
          while (performance.now() < until);
          return next();
        },
      };
    },
  },
  {
    id: "global-lock",
    breaks: "P03",
    code: "E_BUDGET",
    summary: "works on one request at a time, whatever it is",
    settings: { budget: { goodput: 300 } },
    fault(fired) {
      const { enter } = queue();
      return {
        async work(_task, next) {
          fired();
          await enter(25);
          return next();
        },
      };
    },
  },
  {
    id: "quadratic-base64",
    breaks: "P04",
    code: "E_BUDGET",
    summary: "decodes an input piece by piece into a text that is copied each time",
    settings: { budget: { "slope.payload": 30 } },
    fault: (fired) => ({
      async input(reference, next) {
        const mebibytes = (reference.uri.length * 0.75) / 2 ** 20;
        if (mebibytes > 0.5) fired();
        await pause(25 * mebibytes ** 2);
        return next();
      },
    }),
  },
  {
    id: "leak-64k-per-task",
    breaks: "P05",
    code: "E_BUDGET",
    summary: "keeps 64 KiB of every task for ever",
    settings: { budget: { "rss.per-task": 12 * 1024 } },
    spawned: { FAULT: "leak-64k-per-task" },
    fault: () => ({}),
  },
  {
    id: "fd-leak",
    breaks: "P05",
    code: "E_BUDGET",
    summary: "opens a file for every task and does not close it",
    settings: { budget: { "files.per-task": 0.1 } },
    spawned: { FAULT: "fd-leak" },
    fault: () => ({}),
  },
  {
    id: "health-behind-queue",
    breaks: "P06",
    code: "E_BUDGET",
    summary: "answers /health in the same queue as the work",
    settings: { budget: { "p99.health": 40 } },
    fault(fired) {
      const { enter } = queue();
      return {
        async call(call, next) {
          if (onExecute.test(call.path)) await enter(25);
          if (call.path !== "/health") return next();
          fired();
          await enter(1);
          return next();
        },
      };
    },
  },
);
