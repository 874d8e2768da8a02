import type { ServerResponse } from "node:http";
import { answerFault, onExecute, onStatus } from "../faults.ts";
import { defineMutants } from "../mutant.ts";
import type { Answer, Call, Hooks, PristineState, Task } from "../pristine.ts";

const onCancel = /^\/control\/cancel\//;
const onOperations = /^\/control\/operations$/;

const idOf = (path: string) => decodeURIComponent(path.split("/").at(-1) ?? "");

/** The seconds that a status call asks to wait. */
const waitOf = ({ path, headers }: Call) =>
  onStatus.test(path) ? Number(/wait=(\d+)/.exec(String(headers.prefer ?? ""))?.[1] ?? 0) : 0;

/** The call without the wish to wait. */
const inHaste = (call: Call): Call => ({ ...call, headers: { ...call.headers, prefer: undefined } });

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Hooks that look at the service's tasks. */
function withService(make: (tasks: () => Map<string, Task>) => Hooks): Hooks {
  let service: PristineState | undefined;
  return {
    server(_server, state) {
      service = state;
    },
    ...make(() => service?.tasks ?? new Map()),
  };
}

/** Changes calls to status that wait. */
const waitFault =
  (change: (call: Call, next: (call?: Call) => Promise<Answer>, seconds: number) => Promise<Answer>) =>
  (fired: () => void): Hooks => ({
    async call(call, next) {
      const seconds = waitOf(call);
      if (seconds === 0) return next();
      fired();
      return change(call, next, seconds);
    },
  });

/** Changes what is written into event streams; an empty text writes nothing, undefined writes it as it is. */
const streamFault =
  (change: (text: string, isResumed: boolean) => string | undefined, staysOpen = false) =>
  (fired: () => void): Hooks => ({
    async call(call, next) {
      const answer = await next();
      const { stream } = answer;
      if (stream === undefined) return answer;
      const isResumed = call.headers["last-event-id"] !== undefined;
      return {
        ...answer,
        stream(response: ServerResponse) {
          const write = response.write.bind(response) as (text: string) => boolean;
          const changed = (text: string) => {
            const instead = change(text, isResumed);
            if (instead === undefined) return write(text);
            fired();
            return instead === "" ? true : write(instead);
          };
          Object.assign(response, { write: changed, ...(staysOpen && { end: () => response }) });
          stream(response);
        },
      };
    },
  });

const isEvent = (text: string) => text.startsWith("event:");

/** Faults that cases of the profile extensions have to catch. */
export const extensionMutants = defineMutants(
  {
    id: "declares-cancel-404",
    breaks: "X01",
    code: "E_FALSE_CLAIM",
    summary: "lists cancel, and does not have it",
    fault: (fired) => answerFault(fired, onCancel, () => ({ status: 404, body: { detail: "Not Found" } })),
  },
  {
    id: "lists-ghost-method",
    breaks: "X01",
    code: "E_FALSE_CLAIM",
    summary: "lists an operation that it does not have",
    fault: (fired) =>
      answerFault(fired, onOperations, (body) => ({
        body: { ...body, operations: [...(body.operations as []), { name: "Predict", style: "sequential" }] },
      })),
  },
  {
    id: "lists-wrong-style",
    breaks: "X01",
    code: "E_FALSE_CLAIM",
    summary: "lists a concurrent operation as sequential",
    fault: (fired) =>
      answerFault(fired, onOperations, (body) => ({
        body: {
          ...body,
          operations: (body.operations as object[]).map((one) => ({ ...one, style: "sequential" })),
        },
      })),
  },
  {
    id: "describes-badly",
    breaks: "X01",
    code: "E_SELF_DESCRIPTION",
    summary: "lists the names of its operations alone",
    fault: (fired) =>
      answerFault(fired, onOperations, (body) => ({
        body: { ...body, operations: (body.operations as { name: string }[]).map(({ name }) => name) },
      })),
  },
  {
    id: "wait-ignored-but-applied",
    breaks: "X02",
    code: "E_WAIT_EARLY",
    summary: "says that it waited, and did not",
    fault: waitFault(async (call, next, seconds) => ({
      ...(await next(inHaste(call))),
      headers: { "preference-applied": `wait=${seconds}` },
    })),
  },
  {
    id: "wait-returns-early",
    breaks: "X02",
    code: "E_WAIT_EARLY",
    summary: "waits a moment, whatever was asked for",
    fault: waitFault(async (call, next, seconds) => {
      await pause(5);
      return { ...(await next(inHaste(call))), headers: { "preference-applied": `wait=${seconds}` } };
    }),
  },
  {
    id: "wait-sleeps-through",
    breaks: "X02",
    code: "E_WAIT_LATE",
    summary: "waits to the end of the time, whatever happens meanwhile",
    fault: waitFault(async (call, next, seconds) => {
      await pause(seconds * 100);
      return { ...(await next(inHaste(call))), headers: { "preference-applied": `wait=${seconds}` } };
    }),
  },
  {
    id: "wait-unsaid",
    breaks: "X02",
    code: "E_WAIT_NOT_APPLIED",
    summary: "waits, and does not say so",
    fault: waitFault(async (_call, next) => ({ ...(await next()), headers: {} })),
  },
  {
    id: "wait-unbounded",
    breaks: "X03",
    code: "E_WAIT_UNBOUNDED",
    summary: "waits as long as it was asked to",
    fault: (fired) =>
      withService((tasks) => ({
        async call(call, next) {
          const task = tasks().get(idOf(call.path));
          if (waitOf(call) <= 25 || task?.status !== "running") return next();
          fired();
          await new Promise<void>((go) => task.listeners.add(go));
          return next(inHaste(call));
        },
      })),
  },
  {
    id: "wait-overflows",
    breaks: "X03",
    code: "E_WAIT_EARLY",
    summary: "takes a wait that its timer cannot hold for none",
    fault: waitFault(async (call, next, seconds) => {
      if (seconds * 1000 < 2 ** 31) return next();
      return { ...(await next(inHaste(call))), headers: { "preference-applied": `wait=${seconds}` } };
    }),
  },
  {
    id: "waiter-leak",
    breaks: "X03",
    code: "E_WAITER_LEAK",
    summary: "never gives the place of a caller free that waited",
    fault(fired) {
      let waiting = 0;
      return {
        async call(call, next) {
          if (waitOf(call) === 0 || ++waiting <= 60) return next();
          fired();
          return { status: 503, body: { detail: "Too many waiters" } };
        },
      };
    },
  },
  {
    id: "wait-starves-health",
    breaks: "X03",
    code: "E_STARVED",
    summary: "answers nobody while as many wait as it has threads",
    fault(fired) {
      let waiting = 0;
      return {
        async call(call, next) {
          if (waitOf(call) > 0) {
            waiting++;
            call.response.once("close", () => waiting--);
          } else if (waiting >= 20) fired();
          // Who waits needs a thread to be answered, too.
          const answer = waitOf(call) > 0 ? await next() : undefined;
          while (waiting >= 20) await pause(10);
          return answer ?? next();
        },
      };
    },
  },
  {
    id: "sse-no-terminal",
    breaks: "X04",
    code: "E_EVENT_END",
    summary: "closes the stream without the event of the end",
    fault: streamFault((text) => (isEvent(text) && !text.includes('"running"') ? "" : undefined)),
  },
  {
    id: "sse-never-closes",
    breaks: "X04",
    code: "E_EVENT_END",
    summary: "leaves the stream open after the end",
    fault: streamFault((text) => (isEvent(text) ? text : undefined), true),
  },
  {
    id: "sse-resume-gap",
    breaks: "X04",
    code: "E_EVENT_GAP",
    summary: "resumes one event too late",
    fault: (fired) => ({
      call(call, next) {
        const last = call.headers["last-event-id"];
        if (last === undefined) return next();
        fired();
        return next({ ...call, headers: { ...call.headers, "last-event-id": String(Number(last) + 1) } });
      },
    }),
  },
  {
    id: "sse-duplicate",
    breaks: "X04",
    code: "E_EVENT_REPEATED",
    summary: "begins again with the event that was the last",
    fault: (fired) => ({
      call(call, next) {
        const last = call.headers["last-event-id"];
        if (last === undefined) return next();
        fired();
        return next({ ...call, headers: { ...call.headers, "last-event-id": String(Number(last) - 1) } });
      },
    }),
  },
  {
    id: "sse-as-json",
    breaks: "X04",
    code: "E_EVENT_STREAM",
    summary: "answers the plain status to those that want a stream",
    fault: (fired) => ({
      call(call, next) {
        if (call.headers.accept !== "text/event-stream") return next();
        fired();
        return next({ ...call, headers: { ...call.headers, accept: "*/*" } });
      },
    }),
  },
  {
    id: "sse-no-heartbeat",
    breaks: "X04",
    code: "E_EVENT_SILENCE",
    summary: "says nothing while nothing changes",
    fault: streamFault((text) => (text.startsWith(":") ? "" : undefined)),
  },
  {
    id: "key-ignored",
    breaks: "X05",
    code: "E_KEY_IGNORED",
    summary: "executes again under a known key",
    fault: (fired) => ({
      retry(_task, key, next) {
        if (key === undefined) return next();
        fired();
        return undefined;
      },
    }),
  },
  {
    id: "key-replays-other-body",
    breaks: "X05",
    code: "E_KEY_REUSED",
    summary: "answers a known key whatever the body",
    fault: (fired) =>
      withService((tasks) => ({
        retry(task, key, next) {
          const known = [...tasks().values()].find(
            ({ body, idempotency_keys }) =>
              body.workflow_id === task.body.workflow_id && idempotency_keys.includes(key ?? ""),
          );
          if (known === undefined) return next();
          fired();
          return known;
        },
      })),
  },
  {
    id: "key-global",
    breaks: "X05",
    code: "E_KEY_SCOPE",
    summary: "keeps keys for all workflows together",
    fault: (fired) =>
      withService((tasks) => ({
        retry(task, key, next) {
          const other = [...tasks().values()].find(
            ({ body, idempotency_keys }) =>
              body.workflow_id !== task.body.workflow_id && idempotency_keys.includes(key ?? ""),
          );
          if (other === undefined) return next();
          fired();
          return other;
        },
      })),
  },
  {
    id: "key-attaches-to-ended",
    breaks: "X05",
    code: "E_ATTACHED_TO_ENDED",
    summary: "answers a new key with the old execution",
    fault: (fired) =>
      withService((tasks) => ({
        retry(task, key, next) {
          const known = next();
          if (known !== undefined || key === undefined) return known;
          const { workflow_id, task_id } = task.body;
          const old = [...tasks().values()].find(
            ({ body }) => body.workflow_id === workflow_id && body.task_id === task_id,
          );
          if (old !== undefined) fired();
          return old;
        },
      })),
  },
  {
    id: "attaches-nobody",
    breaks: "X05",
    code: "E_NOT_ATTACHED",
    summary: "starts an equal call again while the first one runs",
    fault: (fired) => ({
      retry(_task, key, next) {
        if (key !== undefined) return next();
        fired();
        return undefined;
      },
    }),
  },
  {
    id: "cancel-regresses",
    breaks: "X06",
    code: "E_CANCEL_REGRESSES",
    summary: "fails a complete task when it is cancelled",
    fault: (fired) =>
      withService((tasks) => ({
        async call(call, next) {
          const answer = await next();
          const task = onCancel.test(call.path) ? tasks().get(idOf(call.path)) : undefined;
          if (task?.status === "complete") {
            fired();
            Object.assign(task, { status: "failed", error: "Cancelled" });
          }
          return answer;
        },
      })),
  },
  {
    id: "cancel-terminal-500",
    breaks: "X06",
    code: "E_SERVER_ERROR",
    summary: "breaks when a task that ended is cancelled",
    fault: (fired) =>
      answerFault(fired, onCancel, (_body, { status }) =>
        status === 200 ? { status: 500, body: { detail: "Internal error" } } : undefined,
      ),
  },
  {
    id: "cancel-both",
    breaks: "X06",
    code: "E_CANCEL_BOTH",
    summary: "completes a task that it said was cancelled",
    fault: (fired) =>
      withService((tasks) => ({
        async call(call, next) {
          const task = onCancel.test(call.path) ? tasks().get(idOf(call.path)) : undefined;
          if (task?.status !== "running") return next();
          fired();
          // The work is not told, and its end is written over.
          const answer = { status: 202, body: { status: "failed", progress: 0, error: "Cancelled" } };
          Object.assign(task, { error: "Cancelled" });
          return answer;
        },
      })),
  },
  {
    id: "cancel-without-effect",
    breaks: "X06",
    code: "E_CANCEL_NO_EFFECT",
    summary: "says that the task was stopped, in words of its own",
    fault: (fired) =>
      withService(() => ({
        end(_task, change, next) {
          if (change.error !== "Cancelled") return next();
          fired();
          return next({ ...change, error: "Stopped by a user" });
        },
      })),
  },
  {
    id: "new-status-word",
    breaks: "X08",
    code: "E_NOT_TRANSPARENT",
    summary: 'says "watched" to all while somebody follows a task',
    fault: (fired) => {
      const followed = new Map<string, number>();
      return {
        async call(call, next) {
          if (!onStatus.test(call.path)) return next();
          const answer = await next();
          if (answer.stream !== undefined) {
            followed.set(call.path, (followed.get(call.path) ?? 0) + 1);
            call.response.once("close", () => followed.set(call.path, (followed.get(call.path) ?? 1) - 1));
            return answer;
          }
          const body = answer.body as Record<string, unknown>;
          if (!followed.get(call.path) || body.status !== "running") return answer;
          fired();
          return { ...answer, body: { ...body, status: "watched" } };
        },
      };
    },
  },
  {
    id: "429-to-old-client",
    breaks: "X08",
    code: "E_NOT_TRANSPARENT",
    summary: "sends those away that poll while somebody waits",
    fault(fired) {
      const waiting = new Map<string, number>();
      return {
        async call(call, next) {
          if (!onStatus.test(call.path)) return next();
          const count = waiting.get(call.path) ?? 0;
          if (waitOf(call) > 0) {
            waiting.set(call.path, count + 1);
            const answer = await next();
            waiting.set(call.path, (waiting.get(call.path) ?? 1) - 1);
            return answer;
          }
          if (count === 0) return next();
          fired();
          return { status: 429, body: { detail: "Use Prefer: wait" } };
        },
      };
    },
  },
  {
    id: "202-without-id",
    breaks: "X08",
    code: "E_NOT_TRANSPARENT",
    summary: "answers 202 without a handle to a call without a key, where one with a key came before",
    fault: (fired) =>
      withService((tasks) => ({
        async call(call, next) {
          if (!onExecute.test(call.path) || call.headers["idempotency-key"] !== undefined) return next();
          const same = [...tasks().values()].filter(({ body }) => isFor(body, call));
          const isOver = same.every(({ status }) => status !== "running");
          if (!isOver || !same.some(({ idempotency_keys }) => idempotency_keys.length > 0)) return next();
          fired();
          return { status: 202, body: { status: "running" } };
        },
      })),
  },
);

/** Whether a call to execute names the same workflow and task. */
function isFor({ workflow_id, task_id }: Task["body"], call: Call): boolean {
  try {
    const sent = JSON.parse(call.body.toString());
    return sent.workflow_id === workflow_id && sent.task_id === task_id;
  } catch {
    // Another case's broken body.
    return false;
  }
}
