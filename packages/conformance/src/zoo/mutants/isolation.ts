import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { onExecute, onOutput, onStatus } from "../faults.ts";
import { defineMutants, type Mutant } from "../mutant.ts";
import type { Made, PristineState } from "../pristine.ts";

const inProcess = defineMutants(
  {
    id: "keyed-by-task-id",
    breaks: "I01",
    code: "E_WRONG_OUTPUT",
    summary: "keeps results by the orchestrator's task_id alone",
    fault(fired) {
      const results = new Map<string, Promise<Made>>();
      return {
        work(task, next) {
          const { task_id } = task.body;
          const known = results.get(task_id);
          if (known !== undefined) {
            fired();
            return known;
          }
          const made = next();
          results.set(task_id, made);
          return made;
        },
      };
    },
  },
  {
    id: "data-keyed-by-task-id",
    breaks: "I01",
    code: "E_WRONG_OUTPUT",
    summary: "serves payloads by the orchestrator's task_id alone",
    fault: (fired) => ({
      async publish(task, _made, next) {
        const reference = await next();
        if (reference?.protocol !== "http") return reference;
        fired();
        // The newest task of that name answers for it.
        return { ...reference, uri: reference.uri.replace(task.handle, task.body.task_id) };
      },
    }),
  },
  {
    id: "shared-output-slot",
    breaks: "I02",
    code: "E_WRONG_OUTPUT",
    summary: "has fifteen places for results, and takes more tasks than that",
    fault(fired) {
      const slots: Made[] = [];
      let serial = 0;
      return {
        async work(task, next) {
          const made = await next();
          if (task.body.method !== "Echo") return made;
          const own = serial++;
          const slot = own % 15;
          slots[slot] = made;
          // As long as it takes to read it out.
          for (let tick = 0; tick < 20 && serial < own + 16; tick++) await pause(5);
          if (slots[slot] !== made) fired();
          return slots[slot] ?? made;
        },
      };
    },
  },
  {
    id: "last-writer-wins",
    breaks: "I02",
    code: "E_ID_SHARED",
    summary: "makes handles of the time",
    fault(fired) {
      const seen = new Set<string>();
      return {
        handle(body) {
          // Two workflows with one task each, as in I01, are kept apart.
          const handle = `${Math.floor(Date.now() / 10)}-${body.parameters.k ?? ""}`;
          if (seen.has(handle)) fired();
          seen.add(handle);
          return handle;
        },
      };
    },
  },
  {
    id: "file-name-collision",
    breaks: "I02",
    code: "E_URI_SHARED",
    summary: "writes all results to one file",
    fault(fired) {
      let share = "";
      return {
        server(_server, state) {
          share = state.share;
        },
        async publish(_task, made, next) {
          const reference = await next();
          if (reference?.protocol !== "file") return reference;
          fired();
          const uri = join(share, "result.json");
          await writeFile(uri, made.bytes);
          return { ...reference, uri };
        },
      };
    },
  },
  {
    id: "one-fails-all",
    breaks: "I03",
    code: "E_DISTURBED",
    summary: "fails everything that runs when one task fails",
    fault(fired) {
      let state: PristineState | undefined;
      return {
        server(_server, given) {
          state = given;
        },
        end(_task, change, next) {
          next();
          if (change.status !== "failed") return;
          for (const other of state?.tasks.values() ?? []) {
            if (other.status !== "running") continue;
            fired();
            other.abort.abort();
          }
        },
      };
    },
  },
  {
    id: "failure-kills-worker",
    breaks: "I03",
    code: "E_DISTURBED",
    summary: "works on nothing any more after a task has failed",
    settings: { timeout_ms: 1000 },
    fault(fired) {
      let isDead = false;
      return {
        async work(task, next) {
          if (task.body.method !== "Train") return next();
          if (isDead) {
            fired();
            return new Promise(() => {});
          }
          try {
            return await next();
          } catch (error) {
            isDead = true;
            throw error;
          }
        },
      };
    },
  },
  {
    id: "mutable-default",
    // What earlier cases sent is in its default already.
    rowless: true,
    breaks: "I04",
    code: "E_PARAMETER_BLEED",
    summary: "adds every task's parameters to the defaults",
    fault(fired) {
      const defaults: Record<string, unknown> = {};
      return {
        work(task, next) {
          if (task.body.method !== "Echo") return next();
          if (Object.keys(defaults).some((name) => !(name in task.body.parameters))) fired();
          Object.assign(defaults, task.body.parameters);
          task.body = { ...task.body, parameters: { ...defaults } };
          return next();
        },
      };
    },
  },
  {
    id: "cached-by-ids",
    breaks: "I04",
    code: "E_WRONG_OUTPUT",
    summary: "remembers what it made by workflow_id and task_id, whatever else the request says",
    service: { extensions: [] },
    fault(fired) {
      const made = new Map<string, Made>();
      return {
        async work(task, next) {
          if (task.body.method !== "Echo") return next();
          const key = JSON.stringify([task.body.workflow_id, task.body.task_id]);
          const known = made.get(key);
          if (known !== undefined) {
            fired();
            return known;
          }
          const fresh = await next();
          made.set(key, fresh);
          return fresh;
        },
      };
    },
  },
  {
    id: "dup-race-500",
    breaks: "I05",
    code: "E_SERVER_ERROR",
    summary: "breaks when the same request comes twice at once",
    service: { extensions: [] },
    fault(fired) {
      const underWay = new Set<string>();
      return {
        async call(call, next) {
          if (!onExecute.test(call.path)) return next();
          const key = call.body.toString();
          if (underWay.has(key)) {
            fired();
            return { status: 500, body: "Internal Server Error" };
          }
          underWay.add(key);
          await pause(30);
          underWay.delete(key);
          return next();
        },
      };
    },
  },
  {
    id: "dup-race-lost",
    breaks: "I05",
    code: "E_TASK_LOST",
    summary: "forgets the first of two equal requests that come at once",
    service: { extensions: [] },
    fault(fired) {
      const underWay = new Map<string, number>();
      const lost = new Set<string>();
      return {
        async call(call, next) {
          if (!onExecute.test(call.path)) return next();
          const key = call.body.toString();
          const serial = (underWay.get(key) ?? 0) + 1;
          underWay.set(key, serial);
          await pause(30);
          const answer = await next();
          // Another one has come in the meantime, and its task has this one's place.
          const { task_id } = answer.body as { task_id?: string };
          if (underWay.get(key) !== serial && task_id !== undefined) lost.add(task_id);
          return answer;
        },
        find(id, next) {
          if (!lost.has(id)) return next();
          fired();
          return undefined;
        },
      };
    },
  },
  {
    id: "status-before-output",
    breaks: "I06",
    code: "E_TORN_COMPLETION",
    summary: "stores the output after the status where many look on",
    fault(fired) {
      const watchers = new Map<string, Set<unknown>>();
      const early = new Map<string, number>();
      return {
        end(task, change, next) {
          // One caller alone never sees it.
          const isWatched = (watchers.get(task.handle)?.size ?? 0) >= 5;
          if (isWatched && change.status === "complete") early.set(task.handle, 5);
          next();
        },
        async call(call, next) {
          const [, kind, id = ""] = /^\/control\/(status|output)\/(.+)$/.exec(call.path) ?? [];
          if (kind === "status") {
            watchers.set(id, (watchers.get(id) ?? new Set()).add(call.response.socket));
          }
          const left = kind === "output" ? (early.get(id) ?? 0) : 0;
          if (left === 0) return next();
          fired();
          early.set(id, left - 1);
          return { status: 404, body: { detail: "Task not found" } };
        },
      };
    },
  },
  {
    id: "per-worker-state",
    breaks: "I07",
    code: "E_NOT_SHARED",
    summary: "has a worker that knows nothing of the others' tasks, and gets every 66th connection",
    fault(fired) {
      const workers = new WeakMap<object, number>();
      let connections = 0;
      return {
        async call(call, next) {
          const socket = call.response.socket ?? call.response;
          const worker = workers.get(socket) ?? ++connections % 66;
          workers.set(socket, worker);
          if (worker !== 65 || !(onStatus.test(call.path) || onOutput.test(call.path))) return next();
          fired();
          return { status: 404, body: { detail: "Task not found" } };
        },
      };
    },
  },
);

/** A fault that only a process of its own can have; it is in pristine-main. */
function processMutant(FAULT: string, rest: Pick<Mutant, "breaks" | "code" | "summary">): Mutant {
  return { id: FAULT, spawned: { FAULT }, fault: () => ({}), ...rest };
}

/** Faults that cases of the profile isolation have to catch. */
export const isolationMutants = [
  ...inProcess,
  ...defineMutants(
    processMutant("zombie-running", {
      breaks: "I08",
      code: "E_ZOMBIE",
      summary: "says for ever that a task runs which died with its process",
    }),
    processMutant("no-restart", {
      breaks: "I08",
      code: "E_NO_RESTART",
      summary: "does not start while the lock of a process that was killed is there",
    }),
    processMutant("sigterm-ignored", {
      breaks: "I09",
      code: "E_STOP_IGNORED",
      summary: "goes on after SIGTERM as if nothing had been said",
    }),
    processMutant("sigterm-drops", {
      breaks: "I09",
      code: "E_TASK_DROPPED",
      summary: "ends at once at SIGTERM, whatever runs",
    }),
  ),
];
