import { answerFault, onExecute, onOutput, onStatus } from "../faults.ts";
import { defineMutants } from "../mutant.ts";
import type { Call, Hooks, PristineState } from "../pristine.ts";

const token = "a-token-of-the-test";
const service = { token };

const givenIn = ({ headers }: Call) => headers.authorization ?? "";
const tokenIn = (call: Call) => givenIn(call).replace(/^bearer */i, "");

/** Lets in who `test` says, beside those with the token. */
function letsIn(fired: () => void, test: (call: Call) => boolean): Hooks {
  return {
    authorize(call, next) {
      if (next()) return true;
      if (!test(call)) return false;
      fired();
      return true;
    },
  };
}

const unauthorized = {
  status: 401,
  headers: { "www-authenticate": "Bearer" },
  body: { detail: "Unauthorized" },
};

function isValid(body: Buffer): boolean {
  try {
    return typeof JSON.parse(body.toString()).method === "string";
  } catch {
    return false;
  }
}

/** Faults that cases of the profile auth have to catch. */
export const authMutants = defineMutants(
  {
    id: "open-execute",
    breaks: "A01",
    code: "E_OPEN",
    summary: "runs work for everybody",
    service,
    fault: (fired) => letsIn(fired, ({ path }) => onExecute.test(path)),
  },
  {
    id: "open-status",
    breaks: "A01",
    code: "E_OPEN",
    summary: "tells everybody the status",
    service,
    fault: (fired) => letsIn(fired, ({ path }) => onStatus.test(path)),
  },
  {
    id: "open-status-202",
    breaks: "A01",
    code: "E_OPEN",
    summary: "tells everybody the status, with 202",
    service,
    fault(fired) {
      const open = letsIn(fired, ({ path }) => onStatus.test(path));
      const odd = answerFault(
        () => {},
        onStatus,
        (_body, { status }) => (status === 200 ? { status: 202 } : undefined),
      );
      return { ...open, ...odd };
    },
  },
  {
    id: "open-output",
    breaks: "A01",
    code: "E_OPEN",
    summary: "hands everybody the output",
    service,
    fault: (fired) => letsIn(fired, ({ path }) => onOutput.test(path)),
  },
  {
    id: "open-data-by-task-id",
    breaks: "A01",
    code: "E_OPEN",
    summary: "hands everybody payloads by the orchestrator's task_id, which can be guessed",
    service,
    fault: (fired) => letsIn(fired, ({ path }) => /^\/control\/data\/task-/.test(path)),
  },
  {
    id: "signature-unchecked",
    breaks: "A01",
    code: "E_OPEN",
    summary: "signs URLs of payloads, and looks at no signature",
    service,
    fault: (fired) => ({
      ...letsIn(fired, ({ path }) => /^\/control\/data\/n-/.test(path)),
      handle: (body) => `n-${body.task_id}`,
      async publish(_task, _made, next) {
        const reference = await next();
        if (reference?.protocol !== "http") return reference;
        return { ...reference, uri: `${reference.uri}?expires=1900000000&signature=${"a1".repeat(32)}` };
      },
    }),
  },
  {
    id: "prefix-match",
    breaks: "A02",
    code: "E_TOKEN_ACCEPTED",
    summary: "takes every beginning of the token for the token",
    service,
    fault: (fired) => letsIn(fired, (call) => tokenIn(call) !== "" && token.startsWith(tokenIn(call))),
  },
  {
    id: "suffix-match",
    breaks: "A02",
    code: "E_TOKEN_ACCEPTED",
    summary: "takes everything that ends in the token for the token",
    service,
    fault: (fired) =>
      letsIn(fired, (call) => /^bearer x/i.test(givenIn(call)) && tokenIn(call).endsWith(token)),
  },
  {
    id: "token-case-insensitive",
    breaks: "A02",
    code: "E_TOKEN_ACCEPTED",
    summary: "compares the token without regard to case",
    service,
    fault: (fired) => letsIn(fired, (call) => tokenIn(call).toLowerCase() === token),
  },
  {
    id: "empty-token-ok",
    breaks: "A02",
    code: "E_TOKEN_ACCEPTED",
    summary: "lets in who sends an empty token",
    service,
    fault: (fired) => letsIn(fired, (call) => /^bearer *$/i.test(givenIn(call))),
  },
  {
    id: "huge-token-500",
    breaks: "A02",
    code: "E_SERVER_ERROR",
    summary: "breaks over a token of many KiB",
    service,
    fault: (fired) => ({
      server(server) {
        server.on("clientError", (_error, socket) => {
          fired();
          socket.end("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        });
      },
    }),
  },
  {
    id: "basic-accepted",
    breaks: "A03",
    code: "E_TOKEN_ACCEPTED",
    summary: "takes the token as a password as well",
    service,
    fault: (fired) =>
      letsIn(fired, (call) => {
        const basic = /^basic (.+)$/i.exec(givenIn(call))?.[1] ?? "";
        return Buffer.from(basic, "base64").toString().endsWith(`:${token}`);
      }),
  },
  {
    id: "malformed-500",
    breaks: "A03",
    code: "E_SERVER_ERROR",
    summary: "breaks over an Authorization header of one word",
    service,
    fault: (fired) => ({
      async call(call, next) {
        if (givenIn(call) === "" || givenIn(call).includes(" ")) return next();
        fired();
        return { status: 500, body: { detail: "not enough values to unpack" } };
      },
    }),
  },
  {
    id: "second-header-wins",
    breaks: "A03",
    code: "E_TOKEN_ACCEPTED",
    summary: "takes the last of two Authorization headers",
    service,
    fault: (fired) =>
      letsIn(
        fired,
        ({ response }) => response.req.headersDistinct.authorization?.at(-1) === `Bearer ${token}`,
      ),
  },
  {
    id: "scheme-case-sensitive",
    breaks: "A04",
    code: "E_SCHEME_CASE",
    summary: "understands the scheme in one spelling",
    service,
    fault: (fired) => ({
      authorize(call, next) {
        if (!next()) return false;
        if (givenIn(call).startsWith("Bearer ")) return true;
        fired();
        return false;
      },
    }),
  },
  {
    id: "no-challenge",
    breaks: "A05",
    code: "E_NO_CHALLENGE",
    summary: "answers 401 without WWW-Authenticate",
    service,
    fault: (fired) =>
      answerFault(fired, /^\/control\//, (_body, { status }) =>
        status === 401 ? { headers: {} } : undefined,
      ),
  },
  {
    id: "auth-after-dispatch",
    breaks: "A06",
    code: "E_TASK_CREATED",
    summary: "checks the token when the work has begun",
    service,
    fault: (fired) => ({
      async call(call, next) {
        if (!onExecute.test(call.path) || givenIn(call) !== "" || !isValid(call.body)) return next();
        await next({ ...call, headers: { ...call.headers, authorization: `Bearer ${token}` } });
        fired();
        return unauthorized;
      },
    }),
  },
  {
    id: "validates-before-auth",
    breaks: "A06",
    code: "E_AUTH_LATE",
    summary: "checks the request before the token",
    service,
    fault: (fired) => ({
      async call(call, next) {
        if (call.method !== "POST" || !onExecute.test(call.path) || isValid(call.body)) return next();
        fired();
        return { status: 422, body: { detail: "method: field required" } };
      },
    }),
  },
  {
    id: "404-before-401",
    breaks: "A07",
    code: "E_EXISTENCE_ORACLE",
    summary: "looks ids up before it checks the token",
    service,
    fault(fired) {
      let state: PristineState | undefined;
      return {
        server(_server, given) {
          state = given;
        },
        async call(call, next) {
          const id = onOutput.test(call.path) ? (call.path.split("/").at(-1) ?? "") : undefined;
          const isKnown = [...(state?.tasks.values() ?? [])].some(
            ({ handle, body }) => handle === id || body.task_id === id,
          );
          if (id === undefined || isKnown) return next();
          fired();
          return { status: 404, body: { detail: "Task not found" } };
        },
      };
    },
  },
  {
    id: "echoes-token",
    breaks: "A08",
    code: "E_TOKEN_SHOWN",
    summary: "shows the caller's headers in error texts",
    service,
    fault: (fired) =>
      answerFault(fired, onStatus, ({ detail }, { status }, { headers }) =>
        status === 404 ? { body: { detail, headers } } : undefined,
      ),
  },
  {
    id: "query-token",
    breaks: "A08",
    code: "E_QUERY_TOKEN",
    summary: "takes the token out of the URL, too",
    service,
    fault: (fired) => letsIn(fired, ({ query }) => query.get("access_token") === token),
  },
);
