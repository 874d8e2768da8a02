import { setTimeout as pause } from "node:timers/promises";
import { onExecute } from "../faults.ts";
import type { Made, Reference, Task } from "../pristine.ts";
import { defineBenign } from "./benign.ts";

/** A handle that is made another way; unlike any other all the same. */
function handles(make: (serial: number, next: () => string) => string) {
  return (fired: () => void) => {
    let serial = 0;
    return {
      handle(_body: unknown, next: () => string) {
        fired();
        return make(++serial, next);
      },
    };
  };
}

/** At most so many at once; the others wait in line. */
function gate(most: number) {
  let running = 0;
  const line: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= most) await new Promise<void>((resolve) => line.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      const next = line.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}

/** Two methods that pass what is not inline on; the others read it. */
function passesOn(fired: () => void) {
  const given = ({ body }: Task) =>
    ["Load", "Save"].includes(body.method)
      ? body.inputs.find(({ protocol }) => protocol !== "inline")
      : undefined;
  return {
    async work(task: Task, next: () => Promise<Made>): Promise<Made> {
      return given(task) === undefined ? next() : { bytes: Buffer.from("{}"), format: "json", as: "inline" };
    },
    async publish(task: Task, _made: Made, next: () => Promise<Reference | null>) {
      const reference = given(task);
      if (reference === undefined) return next();
      fired();
      return { ...reference };
    },
  };
}

/** Odd but legal services: tasks that are kept and run in other ways than ours. */
export const benignTasks = defineBenign(
  { id: "handles-are-numbers", summary: "has handles as in 17", odd: handles((serial) => String(serial)) },
  {
    id: "handles-with-colons",
    summary: "has handles as in wf1:task_1:7",
    odd: handles((serial) => `wf1:task_1:${serial}`),
  },
  {
    id: "handles-with-dots",
    summary: "has handles as in run.7_a-",
    odd: handles((serial) => `run.${serial}_a-`),
  },
  {
    id: "handles-in-hex",
    summary: "has handles of 32 hexadecimal digits, in capitals",
    odd: handles((_serial, next) => next().replaceAll("-", "").toUpperCase()),
  },
  {
    id: "handles-are-long",
    summary: "has handles of 200 characters",
    odd: handles((_serial, next) => next().padEnd(200, "x")),
  },
  {
    id: "passes-on",
    summary: "passes inputs at URLs and in files on to whoever comes next, unread",
    odd: passesOn,
  },
  {
    id: "four-at-once",
    summary: "runs four tasks at once and lets others wait, as running",
    odd: (fired) => {
      const enter = gate(4);
      return {
        work(task, next) {
          fired();
          return task.body.method === "Train" ? enter(next) : next();
        },
      };
    },
  },
  {
    id: "one-call-at-a-time",
    summary: "runs calls of sequential methods one after another",
    odd: (fired) => {
      const enter = gate(1);
      return {
        work(task, next) {
          fired();
          return task.body.method === "Train" ? next() : enter(next);
        },
      };
    },
  },
  {
    id: "first-call-is-slow",
    summary: "loads its model with the first call, which takes a second",
    odd: (fired) => {
      let loading: Promise<void> | undefined;
      return {
        async work(_task, next) {
          fired();
          loading ??= pause(100);
          await loading;
          return next();
        },
      };
    },
  },
  {
    id: "quick-tasks-at-once",
    summary: "answers complete at once where a concurrent method has little to do",
    odd: (fired) => ({
      async call(call, next) {
        const isQuick =
          onExecute.test(call.path) &&
          /"Train"/.test(String(call.body)) &&
          /"ms":100,"k":2\b/.test(String(call.body));
        if (!isQuick || /"fail":true/.test(String(call.body))) return next();
        const answer = await next({ ...call, headers: { ...call.headers, prefer: "wait=20" } });
        fired();
        return answer;
      },
    }),
  },
  {
    id: "tasks-take-longer-sometimes",
    summary: "takes up to twice as long for every third task",
    odd: (fired) => {
      let serial = 0;
      return {
        async work(_task, next): Promise<Made> {
          if (++serial % 3 === 0) {
            fired();
            await pause(30);
          }
          return next();
        },
      };
    },
  },
  {
    id: "asks-for-a-token",
    summary: "asks for a token, and has no extensions",
    service: { token: "a-token-of-the-test", extensions: [], self_description: false },
    odd: (fired) => ({
      authorize(_call, next) {
        fired();
        return next();
      },
    }),
  },
  {
    id: "remembers-the-last-thousand",
    summary: "forgets the oldest tasks when it has more than a thousand",
    odd: (fired) => {
      const order: string[] = [];
      return {
        handle(_body, next) {
          fired();
          const handle = next();
          order.push(handle);
          return handle;
        },
        find(id, next) {
          const at = order.lastIndexOf(id);
          return at >= 0 && at < order.length - 1000 ? undefined : next();
        },
      };
    },
  },
);
