import { answerFault, onExecute, onOutput, onStatus } from "../faults.ts";
import { defineMutants } from "../mutant.ts";
import type { ExecuteBody, Hooks, PristineState, Task } from "../pristine.ts";

/** Tells another handle than the service would. */
const handleFault = (make: (next: string) => string) => (fired: () => void) => ({
  handle(body: ExecuteBody, next: () => string) {
    if (body.method !== "Train") return next();
    fired();
    return make(next());
  },
});

/** Changes the answer to execute that says `running`. */
const ackFault = (change: (body: Record<string, unknown>) => unknown) => (fired: () => void) =>
  answerFault(fired, onExecute, (body) => (body.status === "running" ? { body: change(body) } : undefined));

/** Changes answers to status that say a word. */
const statusFault =
  (word: string, change: (body: Record<string, unknown>) => Record<string, unknown> | undefined) =>
  (fired: () => void) =>
    answerFault(fired, onStatus, (body) => {
      const changed = body.status === word ? change(body) : undefined;
      return changed && { body: { ...body, ...changed } };
    });

/** Answers the output of a task that has not completed. */
const earlyFault = (word: string, status: number, body: unknown) => (fired: () => void) => {
  let service: PristineState;
  return {
    server(_server: unknown, state: PristineState) {
      service = state;
    },
    ...answerFault(fired, onOutput, (_body, answer, { path }) =>
      answer.status === 400 && service.tasks.get(idOf(path))?.status === word ? { status, body } : undefined,
    ),
  };
};

const idOf = (path: string) => decodeURIComponent(path.split("/").at(-1) ?? "");

const reference = (value: unknown) => ({
  protocol: "inline",
  uri: Buffer.from(JSON.stringify(value)).toString("base64"),
  format: "json",
});

/** Knows tasks no more from some time after `begins` was called for them. */
function forgetful(fired: () => void, after_ms: number) {
  const since = new Map<string, number>();
  return {
    begins: (handle: string) => void (since.has(handle) || since.set(handle, performance.now())),
    find(id: string, next: () => Task | undefined) {
      if (performance.now() - (since.get(id) ?? performance.now()) < after_ms) return next();
      fired();
      return undefined;
    },
  };
}

/** A task that never ends as `word`. */
const endless =
  (word: string, progress?: number) =>
  (fired: () => void): Hooks => ({
    end(task, change, next) {
      if (task.body.method !== "Train" || change.status !== word) return next();
      fired();
      if (progress !== undefined) task.progress = progress;
    },
  });

/** Faults that cases of the profile concurrent have to catch. */
export const concurrentMutants = defineMutants(
  {
    id: "no-task-id",
    breaks: "T01",
    code: "E_TASK_ID_MISSING",
    summary: "answers running without a handle",
    fault: ackFault(({ status }) => ({ status })),
  },
  {
    id: "empty-task-id",
    breaks: "T01",
    code: "E_TASK_ID_MISSING",
    summary: "answers running with an empty handle",
    fault: ackFault((body) => ({ ...body, task_id: "" })),
  },
  {
    id: "int-task-id",
    breaks: "T01",
    code: "E_TASK_ID_TYPE",
    summary: "answers the handle as a number",
    fault: ackFault((body) => ({ ...body, task_id: 7 })),
  },
  {
    id: "id-slash",
    breaks: "T02",
    code: "E_HANDLE_UNSAFE",
    summary: "puts a slash into its handles",
    fault: handleFault((handle) => `tasks/${handle}`),
  },
  {
    id: "id-dotdot",
    breaks: "T02",
    code: "E_HANDLE_UNSAFE",
    summary: "gives out the handle ..",
    fault: handleFault(() => ".."),
  },
  {
    id: "id-query",
    breaks: "T02",
    code: "E_HANDLE_UNSAFE",
    summary: "puts a question mark into its handles",
    fault: handleFault((handle) => `${handle}?run=1`),
  },
  {
    id: "id-percent",
    breaks: "T02",
    code: "E_HANDLE_UNSAFE",
    summary: "gives out handles that are escaped already",
    fault: handleFault((handle) => `wf%2F${handle}`),
  },
  {
    id: "ack-after-work",
    breaks: "T03",
    code: "E_DEADLINE",
    summary: "answers running once the work is done",
    service: { time_scale: 0.5 },
    fault(fired) {
      let service: PristineState;
      return {
        server(_server, state) {
          service = state;
        },
        async call(call, next) {
          const answer = await next();
          const { status, task_id } = (answer.body ?? {}) as Record<string, string>;
          const task = service.tasks.get(task_id ?? "");
          if (!onExecute.test(call.path) || status !== "running" || task === undefined) return answer;
          fired();
          while (task.status === "running") await new Promise<void>((go) => task.listeners.add(go));
          return answer;
        },
      };
    },
  },
  {
    id: "works-in-the-event-loop",
    // Whatever is asked meanwhile waits, in every case.
    rowless: true,
    breaks: "T03",
    code: "E_BLOCKED",
    summary: "answers running at once, and then nobody until the work is done",
    service: { time_scale: 0.6 },
    fault(fired) {
      let deaf: Promise<unknown> = Promise.resolve();
      return {
        async call(_call, next) {
          await deaf;
          return next();
        },
        work(task, next) {
          const made = next();
          if (task.body.method !== "Train") return made;
          fired();
          deaf = made.catch(() => {});
          return made;
        },
      };
    },
  },
  {
    id: "status-404-for-200ms",
    breaks: "T04",
    code: "E_NOT_VISIBLE",
    summary: "registers a task 200 ms after it told the handle",
    fault: (fired) => lateFault(fired, 200, 1),
  },
  {
    id: "registers-late",
    breaks: "T04",
    code: "E_NOT_VISIBLE",
    summary: "registers every third task a moment after it told the handle",
    fault: (fired) => lateFault(fired, 30, 3),
  },
  {
    id: "progress-float",
    breaks: "T05",
    code: "E_PROGRESS_TYPE",
    summary: "tells progress as a fraction",
    fault: statusFault("running", () => ({ progress: 33.3 })),
  },
  {
    id: "progress-percent",
    breaks: "T05",
    code: "E_PROGRESS_TYPE",
    summary: "tells progress as a text with a percent sign",
    fault: statusFault("running", ({ progress }) => ({ progress: `${progress}%` })),
  },
  {
    id: "status-pending",
    breaks: "T05",
    code: "E_STATUS_LITERAL",
    summary: 'says "pending" in the first half',
    fault: statusFault("running", ({ progress }) =>
      Number(progress) < 50 ? { status: "pending" } : undefined,
    ),
  },
  {
    id: "status-error-object",
    breaks: "T05",
    code: "E_ERROR_NOT_TEXT",
    summary: "tells the error as an object",
    fault: statusFault("failed", ({ error }) => ({ error: { title: error } })),
  },
  {
    id: "progress-falls",
    breaks: "T06",
    code: "E_PROGRESS_FALLS",
    summary: "tells less progress in the second half",
    fault: statusFault("running", ({ progress }) =>
      Number(progress) > 50 ? { progress: Number(progress) - 50 } : undefined,
    ),
  },
  {
    id: "progress-101",
    breaks: "T06",
    code: "E_PROGRESS_RANGE",
    summary: "counts to 101",
    fault: statusFault("complete", () => ({ progress: 101 })),
  },
  {
    id: "complete-at-20",
    breaks: "T06",
    code: "E_PROGRESS_END",
    summary: "is complete at 20 %",
    fault: (fired) => answerFault(fired, onStatus, twenty),
  },
  {
    id: "stuck-running",
    breaks: "T07",
    code: "E_STUCK",
    summary: "never says that a task is complete",
    fault: endless("complete"),
  },
  {
    id: "stuck-at-100",
    breaks: "T07",
    code: "E_STUCK",
    summary: "stays at running with 100 %",
    fault: endless("complete", 100),
  },
  {
    id: "terminal-flips",
    breaks: "T08",
    code: "E_REGRESSED",
    summary: "says running once more some polls after complete",
    fault(fired) {
      const seen = new Map<string, number>();
      return answerFault(fired, onStatus, (body, _answer, { path }) => {
        if (body.status !== "complete") return undefined;
        seen.set(path, (seen.get(path) ?? 0) + 1);
        return seen.get(path) === 5 ? { body: { ...body, status: "running" } } : undefined;
      });
    },
  },
  {
    id: "output-read-resets",
    breaks: "T08",
    code: "E_REGRESSED",
    summary: "says running again once the output was read",
    fault(fired) {
      const read = new Set<string>();
      return {
        async call(call, next) {
          const answer = await next();
          const id = idOf(call.path);
          if (onOutput.test(call.path) && answer.status === 200) read.add(id);
          if (!onStatus.test(call.path) || !read.has(id)) return answer;
          fired();
          return { ...answer, body: { ...(answer.body as object), status: "running" } };
        },
      };
    },
  },
  {
    id: "output-lags-100ms",
    breaks: "T09",
    code: "E_OUTPUT_NOT_READY",
    summary: "has the output 100 ms after complete",
    fault(fired) {
      const ended = new Map<string, number>();
      return {
        end(task, _change, next) {
          ended.set(task.handle, performance.now());
          next();
        },
        ...answerFault(fired, onOutput, (_body, answer, { path }) =>
          answer.status === 200 && performance.now() - (ended.get(idOf(path)) ?? 0) < 100
            ? { status: 404, body: { detail: "Output not found" } }
            : undefined,
        ),
      };
    },
  },
  {
    id: "output-unwrapped",
    breaks: "T09",
    code: "E_REFERENCE_INVALID",
    summary: "answers the reference itself instead of {output}",
    fault: (fired) =>
      answerFault(fired, onOutput, (body, { status }) =>
        status === 200 ? { body: body.output } : undefined,
      ),
  },
  {
    id: "output-null",
    breaks: "T09",
    code: "E_REFERENCE_INVALID",
    summary: "answers null for the output of a complete task",
    fault: (fired) =>
      answerFault(fired, onOutput, (_body, { status }) =>
        status === 200 ? { body: { output: null } } : undefined,
      ),
  },
  {
    id: "output-500",
    breaks: "T09",
    code: "E_SERVER_ERROR",
    summary: "breaks when the output is asked for",
    fault: (fired) =>
      answerFault(fired, onOutput, (_body, { status }) =>
        status === 200 ? { status: 500, body: { detail: "Internal error" } } : undefined,
      ),
  },
  {
    id: "early-200-null",
    breaks: "T10",
    code: "E_OUTPUT_EARLY",
    summary: "answers null for the output of a task that runs",
    fault: earlyFault("running", 200, { output: null }),
  },
  {
    id: "early-partial",
    breaks: "T10",
    code: "E_OUTPUT_EARLY",
    summary: "answers what a task that runs has so far",
    fault: earlyFault("running", 200, { output: reference({ rows: 3 }) }),
  },
  {
    id: "early-500",
    breaks: "T10",
    code: "E_SERVER_ERROR",
    summary: "breaks when the output of a task that runs is asked for",
    fault: earlyFault("running", 500, { detail: "Internal error" }),
  },
  {
    id: "failed-output-200",
    breaks: "T11",
    code: "E_OUTPUT_OF_FAILED",
    summary: "answers an output for a task that failed",
    fault: earlyFault("failed", 200, { output: reference({}) }),
  },
  {
    id: "failed-empty-error",
    breaks: "T11",
    code: "E_ERROR_EMPTY",
    summary: "fails without saying why",
    fault: statusFault("failed", () => ({ error: "" })),
  },
  {
    id: "crash-stays-running",
    breaks: "T12",
    code: "E_STUCK",
    summary: "leaves a task running whose work threw",
    fault: endless("failed"),
  },
  {
    id: "output-read-once",
    breaks: "T13",
    code: "E_VANISHED",
    summary: "hands an output out once",
    fault(fired) {
      const read = new Set<string>();
      return answerFault(fired, onOutput, (_body, { status }, { path }) => {
        if (status !== 200) return undefined;
        if (read.has(path)) return { status: 404, body: { detail: "Output not found" } };
        read.add(path);
        return undefined;
      });
    },
  },
  {
    id: "output-rotates",
    breaks: "T13",
    code: "E_RESULT_CHANGES",
    summary: "answers another result every time",
    fault(fired) {
      let reads = 0;
      return answerFault(fired, onOutput, (body, { status }) =>
        status === 200
          ? { body: { output: { ...(body.output as object), ...reference({ read: ++reads }) } } }
          : undefined,
      );
    },
  },
  {
    id: "forget-on-complete",
    breaks: "T14",
    code: "E_VANISHED",
    summary: "forgets a task soon after it ended",
    fault(fired) {
      const { begins, find } = forgetful(fired, 500);
      return {
        find,
        end(task, _change, next) {
          next();
          begins(task.handle);
        },
      };
    },
  },
  {
    id: "forget-after-read",
    breaks: "T14",
    code: "E_VANISHED",
    summary: "forgets a task soon after its output was read",
    fault(fired) {
      const { begins, find } = forgetful(fired, 500);
      return {
        find,
        async call(call, next) {
          const answer = await next();
          if (onOutput.test(call.path) && answer.status === 200) begins(idOf(call.path));
          return answer;
        },
      };
    },
  },
  {
    id: "forget-payload",
    breaks: "T14",
    code: "E_VANISHED",
    summary: "removes payloads soon after the end, and not the tasks",
    fault(fired) {
      let service: PristineState;
      return {
        server(_server, state) {
          service = state;
        },
        async publish(task, made, next) {
          if (task.body.method !== "Train") return next();
          task.payload = made.bytes;
          setTimeout(() => {
            fired();
            task.payload = undefined;
          }, 500);
          const uri = `${service.url()}/control/data/${task.handle}`;
          return { protocol: "http", uri, format: made.format };
        },
      };
    },
  },
  {
    id: "reexec-resets",
    breaks: "T15",
    code: "E_REGRESSED",
    summary: "runs a repeated call under the record of the first one",
    fault(fired) {
      let service: PristineState;
      return {
        server(_server, state) {
          service = state;
        },
        handle(body, next) {
          for (const task of service.tasks.values()) {
            const isSame = task.body.workflow_id === body.workflow_id && task.body.task_id === body.task_id;
            if (!isSame || task.status === "running" || body.method !== "Train") continue;
            fired();
            Object.assign(task, { status: "running", progress: 0 });
          }
          return next();
        },
      };
    },
  },
  {
    id: "reexec-500",
    breaks: "T15",
    code: "E_SERVER_ERROR",
    summary: "breaks on a task_id that it knows",
    fault(fired) {
      const known = new Set<string>();
      return answerFault(fired, onExecute, (body, _answer, call) => {
        if (body.status !== "running") return undefined;
        const { workflow_id, task_id } = JSON.parse(call.body.toString());
        const isKnown = known.has(`${workflow_id}/${task_id}`);
        known.add(`${workflow_id}/${task_id}`);
        return isKnown ? { status: 500, body: { detail: "UNIQUE constraint failed" } } : undefined;
      });
    },
  },
  {
    id: "late-register-overwrites",
    breaks: "T16",
    code: "E_LOST_COMPLETION",
    summary: "now and then registers a task after its work ended, and overwrites its end",
    fault(fired) {
      let ended = 0;
      return {
        end(task, _change, next) {
          next();
          if (task.body.method !== "Train" || ++ended % 20 !== 0) return;
          fired();
          Object.assign(task, { status: "running", progress: 0 });
        },
      };
    },
  },
  {
    id: "poll-429",
    breaks: "T17",
    code: "E_POLL_REFUSED",
    summary: "limits how often a task may be polled",
    fault(fired) {
      const polls = new Map<string, number>();
      return answerFault(fired, onStatus, (_body, _answer, { path }) => {
        const count = (polls.get(path) ?? 0) + 1;
        polls.set(path, count);
        return count > 100
          ? { status: 429, headers: { "retry-after": "1" }, body: { detail: "Too many requests" } }
          : undefined;
      });
    },
  },
  {
    id: "poll-304",
    breaks: "T17",
    code: "E_POLL_REFUSED",
    summary: "answers 304 to a poll that comes right after another",
    fault(fired) {
      const last = new Map<string, number>();
      return answerFault(fired, onStatus, (_body, _answer, { path }) => {
        const before = last.get(path) ?? 0;
        last.set(path, performance.now());
        return performance.now() - before < 10 ? { status: 304, body: "" } : undefined;
      });
    },
  },
  {
    id: "poll-advances-work",
    breaks: "T17",
    code: "E_POLL_DRIVES_WORK",
    summary: "works only while somebody asks for the status",
    fault(fired) {
      const polled = new Map<string, { count: number; go: () => void }>();
      return {
        async call(call, next) {
          const answer = await next();
          const one = onStatus.test(call.path) ? polled.get(idOf(call.path)) : undefined;
          if (one !== undefined && ++one.count === 10) one.go();
          return answer;
        },
        async work(task, next) {
          if (task.body.method !== "Train") return next();
          fired();
          const enough = new Promise<void>((go) => polled.set(task.handle, { count: 0, go }));
          const made = await next();
          await enough;
          return made;
        },
      };
    },
  },
);

/** Tasks stay at 20 %. */
function twenty(body: Record<string, unknown>) {
  const progress = Math.min(Number(body.progress), 20);
  return body.status === undefined ? undefined : { body: { ...body, progress } };
}

/** Every so many tasks are known so much later than their handle was told. */
function lateFault(fired: () => void, late_ms: number, every: number): Hooks {
  const told = new Map<string, number>();
  const asked = new Set<string>();
  let count = 0;
  return {
    handle(_body, next) {
      const handle = next();
      if (++count % every === 0) told.set(handle, performance.now());
      return handle;
    },
    find(id, next) {
      const at = told.get(id);
      const isFirst = at !== undefined && !asked.has(id);
      asked.add(id);
      // The first call comes too early however busy the machine is.
      if (at === undefined || (!isFirst && performance.now() - at > late_ms)) return next();
      fired();
      return undefined;
    },
  };
}
