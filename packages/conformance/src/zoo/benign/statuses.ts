import { answerFault, onExecute, onOutput, onStatus } from "../faults.ts";
import { defineBenign, everyAnswer } from "./benign.ts";

/** An answer to output that came before the task was complete. */
const early = (status: number) => (fired: () => void) =>
  answerFault(fired, onOutput, (_body, answer) => (answer.status === 400 ? { status } : undefined));

const unknownMethod = (status: number, body?: unknown) => (fired: () => void) =>
  answerFault(fired, onExecute, ({ detail }) =>
    /^Unknown method/.test(String(detail)) ? { status, body: body ?? { detail } } : undefined,
  );

/** Odd but legal replies: other HTTP statuses than ours. */
export const benignStatuses = defineBenign(
  {
    id: "202-for-running",
    summary: "answers 202 to what it has only begun",
    odd: (fired) =>
      answerFault(fired, onExecute, ({ status }) => (status === "running" ? { status: 202 } : undefined)),
  },
  {
    id: "202-while-it-runs",
    summary: "answers 202 to every poll of a task that is not done",
    odd: (fired) =>
      answerFault(fired, onStatus, ({ status }, answer) =>
        // A stream has no status to change.
        status === "running" && answer.stream === undefined ? { status: 202 } : undefined,
      ),
  },
  {
    id: "201-with-location",
    summary: "answers 201 with a Location to every execution",
    odd: (fired) =>
      answerFault(fired, onExecute, ({ status, task_id }, answer) =>
        answer.status === 200
          ? {
              status: 201,
              headers: { ...answer.headers, location: `/control/status/${task_id ?? status}` },
            }
          : undefined,
      ),
  },
  { id: "early-output-404", summary: "answers 404 to output that is not there yet", odd: early(404) },
  { id: "early-output-409", summary: "answers 409 to output that is not there yet", odd: early(409) },
  { id: "early-output-425", summary: "answers 425 to output that is not there yet", odd: early(425) },
  {
    id: "400-for-invalid",
    summary: "answers 400 to requests that are not valid",
    odd: (fired) =>
      answerFault(fired, onExecute, (_body, answer) => (answer.status === 422 ? { status: 400 } : undefined)),
    service: { extensions: ["wait", "events", "cancel"] },
  },
  { id: "unknown-method-404", summary: "answers 404 to a method that it has not", odd: unknownMethod(404) },
  { id: "unknown-method-422", summary: "answers 422 to a method that it has not", odd: unknownMethod(422) },
  {
    id: "unknown-method-failed",
    summary: "answers 200 failed to a method that it has not",
    odd: unknownMethod(200, { status: "failed", error: "There is no such method here" }),
  },
  {
    id: "failure-422",
    summary: "answers 422 where the work fails while the caller waits",
    odd: (fired) =>
      answerFault(fired, onExecute, ({ status, error }) =>
        status === "failed" ? { status: 422, body: { detail: error } } : undefined,
      ),
  },
  {
    id: "problem-details",
    summary: "answers errors as application/problem+json, with a detail",
    odd: (fired) =>
      everyAnswer(fired, ({ status, headers, body }) =>
        status >= 400
          ? {
              headers: { ...headers, "content-type": "application/problem+json" },
              body: JSON.stringify({ type: "about:blank", title: "Refused", status, ...(body as object) }),
            }
          : undefined,
      ),
  },
  {
    id: "head-405",
    summary: "answers 405 to HEAD, as FastAPI does",
    odd: (fired) => ({
      async call(call, next) {
        if (call.method !== "HEAD") return next();
        fired();
        return { status: 405, headers: { allow: "GET" }, body: { detail: "Method Not Allowed" } };
      },
    }),
  },
  {
    id: "cors",
    summary: "answers OPTIONS with 204 and lets browsers in",
    odd: (fired) => ({
      async call(call, next) {
        const headers = { "access-control-allow-origin": "*", vary: "Origin" };
        if (call.method === "OPTIONS") {
          fired();
          return { status: 204, headers: { ...headers, "access-control-allow-methods": "GET, POST" } };
        }
        const answer = await next();
        fired();
        return { ...answer, headers: { ...answer.headers, ...headers } };
      },
    }),
  },
  {
    id: "challenge-with-realm",
    summary: "has a realm and an error in its challenge",
    service: { token: "a-token-of-the-test" },
    odd: (fired) =>
      everyAnswer(fired, ({ status, headers }) =>
        status === 401
          ? {
              headers: {
                ...headers,
                "www-authenticate": 'Bearer realm="energy", error="invalid_token"',
              },
            }
          : undefined,
      ),
  },
  {
    id: "small-bodies-only",
    summary: "takes bodies of up to 1 MiB and answers 413 to longer ones",
    odd: (fired) => ({
      async call(call, next) {
        if (call.body.length > 2 ** 20) {
          fired();
          return { status: 413, headers: { connection: "close" }, body: { detail: "Payload Too Large" } };
        }
        fired();
        return next();
      },
    }),
  },
  {
    id: "refuses-odd-ids",
    summary: "takes ids of usual characters only, and answers 422 to others",
    odd: (fired) => ({
      readBody(_body, next) {
        const read = next();
        const isUsual = [read.workflow_id, read.task_id].every((id) => /^[\w.:@-]{1,200}$/.test(id));
        fired();
        // An empty body is refused as any that is not valid.
        return isUsual ? read : next(Buffer.from("{}"));
      },
    }),
  },
);
