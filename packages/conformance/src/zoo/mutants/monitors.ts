import { answerFault, onStatus } from "../faults.ts";
import { defineMutants } from "../mutant.ts";
import type { Answer } from "../pristine.ts";

const token = "a-token-of-the-test";

/** Faults that only show in the whole of a run. */
export const monitorMutants = defineMutants(
  {
    id: "percent-on-new-connections",
    breaks: "W1",
    code: "E_PROGRESS_TYPE",
    summary: 'one of its workers is older, and writes progress of short tasks as in "10%"',
    after: ["T04"],
    fault(fired) {
      const short = new Set<string>();
      return {
        handle(body, next) {
          const handle = next();
          if (Number(body.parameters.ms) <= 100) short.add(handle);
          return handle;
        },
        async call(call, next) {
          const answer = await next();
          const body = answer.body as Record<string, unknown>;
          const isOlder = onStatus.test(call.path) && call.headers.connection === "close";
          if (!isOlder || body.status !== "running" || !short.has(call.path.split("/").at(-1) ?? "")) {
            return answer;
          }
          fired();
          return { ...answer, body: { ...body, progress: `${body.progress}%` } };
        },
      };
    },
  },
  {
    id: "stale-variant",
    breaks: "W2",
    code: "E_REGRESSED",
    summary: "a cache ahead of it keeps an old status for callers that take gzip",
    after: ["C02"],
    fault(fired) {
      const first = new Map<string, Answer>();
      return {
        async call(call, next) {
          const answer = await next();
          if (!onStatus.test(call.path) || answer.status !== 200) return answer;
          const cached = first.get(call.path) ?? answer;
          first.set(call.path, cached);
          if (call.headers["accept-encoding"] !== "gzip, deflate" || cached === answer) return answer;
          fired();
          return cached;
        },
      };
    },
  },
  {
    id: "operations-500",
    breaks: "W3",
    code: "E_SERVER_ERROR",
    summary: "breaks over its self-description",
    fault: (fired) =>
      answerFault(fired, /^\/control\/operations$/, () => ({ status: 500, body: { detail: "KeyError" } })),
  },
  {
    id: "key-in-self-description",
    breaks: "W4",
    code: "E_TOKEN_SHOWN",
    summary: "describes its settings, the key included",
    service: { token },
    fault: (fired) =>
      answerFault(fired, /^\/control\/operations$/, (body, { status }) =>
        status === 200 ? { body: { ...body, settings: { service_api_key: token } } } : undefined,
      ),
  },
);
