import { answerFault, onExecute } from "../faults.ts";
import { defineMutants } from "../mutant.ts";
import type { Answer, Hooks } from "../pristine.ts";

const never = () => new Promise<never>(() => {});

/** Answers the second call with ids that were sent before. */
function secondCall(fired: () => void, answer: Answer): Hooks {
  const seen = new Set<string>();
  return {
    async call(call, next) {
      const given = await next();
      // What is not valid has no ids.
      if (!onExecute.test(call.path) || given.status !== 200) return given;
      const { workflow_id, task_id } = JSON.parse(call.body.toString());
      const ids = `${workflow_id} ${task_id}`;
      if (!seen.has(ids)) {
        seen.add(ids);
        return given;
      }
      fired();
      return answer;
    },
  };
}

/** Does something once a caller went away before its request was whole. */
function onAbort(then: () => void): Required<Pick<Hooks, "server">> {
  return {
    server(server) {
      server.on("request", (request) => {
        request.on("close", () => {
          if (!request.complete) then();
        });
      });
    },
  };
}

/** Faults that cases of the profile sequential have to catch. */
export const sequentialMutants = defineMutants(
  {
    id: "seq-answers-running",
    breaks: "Q01",
    code: "E_SEQUENTIAL_RUNNING",
    summary: "answers running where it is declared sequential",
    fault(fired) {
      const handles = new Map<string, string>();
      return {
        handle(body, next) {
          const handle = next();
          handles.set(body.task_id, handle);
          return handle;
        },
        ...answerFault(fired, onExecute, ({ status }, _answer, call) =>
          status === "complete"
            ? {
                body: {
                  status: "running",
                  task_id: handles.get(JSON.parse(call.body.toString()).task_id),
                },
              }
            : undefined,
        ),
      };
    },
  },
  {
    id: "complete-null-output",
    breaks: "Q02",
    code: "E_OUTPUT_MISSING",
    summary: "answers complete without an output",
    fault: (fired) =>
      answerFault(fired, onExecute, ({ status }) =>
        status === "complete" ? { body: { status, output: null } } : undefined,
      ),
  },
  {
    id: "complete-with-error",
    breaks: "Q03",
    code: "E_BOTH_OUTCOMES",
    summary: "carries an error beside the output of what is complete",
    fault: (fired) =>
      answerFault(fired, onExecute, (body) =>
        body.status === "complete" ? { body: { ...body, error: "3 rows were left out" } } : undefined,
      ),
  },
  {
    id: "failed-with-output",
    breaks: "Q03",
    code: "E_BOTH_OUTCOMES",
    summary: "carries half an output beside the error of what failed",
    fault: (fired) =>
      answerFault(fired, onExecute, (body) =>
        body.status === "failed"
          ? { body: { ...body, output: { protocol: "inline", uri: "e30=", format: "json" } } }
          : undefined,
      ),
  },
  {
    id: "second-call-409",
    breaks: "Q04",
    code: "E_NOT_REPEATABLE",
    summary: "refuses ids that it has seen before",
    fault: (fired) => secondCall(fired, { status: 409, body: { detail: "Task already exists" } }),
  },
  {
    id: "second-call-500",
    breaks: "Q04",
    code: "E_SERVER_ERROR",
    summary: "breaks over ids that it has seen before",
    fault: (fired) => secondCall(fired, { status: 500, body: { detail: "UNIQUE constraint failed" } }),
  },
  {
    id: "blocks-event-loop",
    breaks: "Q05",
    code: "E_BLOCKED",
    summary: "answers nothing else while it works",
    fault(fired) {
      let work: Promise<unknown> = Promise.resolve();
      let isAtWork = false;
      return {
        async call(call, next) {
          if (onExecute.test(call.path)) {
            isAtWork = true;
            const answer = next().finally(() => {
              isAtWork = false;
            });
            work = answer;
            return answer;
          }
          if (isAtWork) {
            fired();
            await work;
            // The reply to execute goes out first.
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
          return next();
        },
      };
    },
  },
  {
    id: "abort-poisons-lock",
    breaks: "Q06",
    code: "E_AFTER_ABORT",
    summary: "never releases the lock of a call whose caller went away",
    settings: { timeout_ms: 800 },
    fault(fired) {
      let isLocked = false;
      return {
        ...onAbort(() => {
          isLocked = true;
        }),
        call(call, next) {
          if (!isLocked || !onExecute.test(call.path)) return next();
          fired();
          return never();
        },
      };
    },
  },
  {
    id: "abort-kills-process",
    breaks: "Q06",
    code: "E_AFTER_ABORT",
    summary: "dies of a broken connection",
    fault(fired) {
      return {
        server(server, state) {
          onAbort(() => {
            fired();
            server.close();
            server.closeAllConnections();
          }).server(server, state);
        },
      };
    },
  },
);
