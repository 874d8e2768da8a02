import { answerFault, bytesFault, onExecute, onOutput, onStatus } from "../faults.ts";
import { defineMutants } from "../mutant.ts";
import type { Answer, Call, Hooks, Task } from "../pristine.ts";

type Body = Record<string, unknown>;

/** Answers calls to execute by what they send, where `answer` has one. */
function requestFault(fired: () => void, answer: (body: unknown, call: Call) => Answer | undefined): Hooks {
  return {
    async call(call, next) {
      const given = isExecute(call) ? answer(parsed(call.body), call) : undefined;
      if (given === undefined) return next();
      fired();
      return given;
    },
  };
}

const isExecute = ({ method, path }: Call) => method === "POST" && onExecute.test(path);

/** Undefined where it is no JSON. */
function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function inputsOf(body: unknown): Body[] {
  const inputs = (body as Body | undefined)?.inputs;
  return Array.isArray(inputs) ? inputs : [];
}

const isKnown = (body: unknown) =>
  /^(?:Echo|Load|Save|Sink|Train)$/.test(String((body as Body | null)?.method));
const forbidden = (detail: string): Answer => ({ status: 422, body: { detail } });
const completed: Answer = { status: 200, body: { status: "complete", output: null } };
const unborn = { status: "running", progress: 0, error: null, body: {} };
const never = () => new Promise<never>(() => {});

/** A path that is refused, and is not there: nothing but its answer can be wrong. */
const onNothing = /^\/control\/status\/task-/;

/** Faults that cases of the profile core have to catch. */
export const coreMutants = defineMutants(
  {
    id: "health-500",
    breaks: "C01",
    code: "E_HEALTH_STATUS",
    summary: "/health answers 500",
    fault: (fired) => answerFault(fired, /^\/health$/, () => ({ status: 500 })),
  },
  {
    id: "health-needs-auth",
    breaks: "C01",
    code: "E_HEALTH_STATUS",
    summary: "/health asks for the token",
    service: { token: "a-token-of-the-test" },
    fault: (fired) =>
      answerFault(fired, /^\/health$/, (_body, _answer, { headers }) =>
        headers.authorization === undefined
          ? { status: 401, headers: { "www-authenticate": "Bearer" }, body: { detail: "Unauthorized" } }
          : undefined,
      ),
  },
  {
    id: "health-hangs",
    breaks: "C01",
    code: "E_DEADLINE",
    summary: "/health never answers",
    settings: { timeout_ms: 300 },
    fault: (fired) => ({
      call(call, next) {
        if (call.path !== "/health") return next();
        fired();
        return never();
      },
    }),
  },
  {
    id: "requires-parameters",
    breaks: "C02",
    code: "E_REFUSES_ORCHESTRATOR",
    summary: "asks for `parameters`, which the orchestrator never sends",
    fault: (fired) =>
      requestFault(fired, (body) =>
        body instanceof Object && !("parameters" in body)
          ? forbidden("parameters: field required")
          : undefined,
      ),
  },
  {
    id: "rejects-null-optional",
    breaks: "C02",
    code: "E_REFUSES_ORCHESTRATOR",
    summary: "does not take null for the optional fields of an input",
    fault: (fired) =>
      requestFault(fired, (body) =>
        inputsOf(body).some(({ schema_uri }) => schema_uri === null)
          ? forbidden("schema_uri: expected a text")
          : undefined,
      ),
  },
  {
    id: "null-breaks-work",
    breaks: "C02",
    code: "E_REFUSES_ORCHESTRATOR",
    summary: "takes the request, and breaks over a size_bytes that is null",
    fault: (fired) => ({
      input(reference, next) {
        if (reference.size_bytes !== null) return next();
        fired();
        throw new TypeError("expected an integer, got null");
      },
    }),
  },
  {
    id: "refuses-httpx",
    breaks: "C02",
    code: "E_REFUSES_ORCHESTRATOR",
    summary: "takes clients in Python for robots",
    fault: (fired) => ({
      call(call, next) {
        const { "user-agent": agent = "", "accept-encoding": encoding } = call.headers;
        if (!agent.startsWith("python-httpx") || encoding !== "gzip, deflate" || !onStatus.test(call.path)) {
          return next();
        }
        fired();
        return Promise.resolve({ status: 403, body: { detail: "Robots are not welcome" } });
      },
    }),
  },
  {
    id: "reads-only-once",
    breaks: "C02",
    code: "E_REFUSES_ORCHESTRATOR",
    summary: "takes what the first read of a connection gives for the whole request",
    fault: (fired) =>
      bytesFault((bytes) => {
        const text = bytes.toString("latin1");
        const [head = "", body] = text.split("\r\n\r\n", 2);
        const [, length] = /\r\ncontent-length: (\d+)/i.exec(head) ?? [];
        if (body !== "" || length === undefined || length === "0") return bytes;
        fired();
        return Buffer.from(text.replace(/(\r\ncontent-length: )\d+/i, "$10"), "latin1");
      }),
  },
  {
    id: "always-500",
    breaks: "C02",
    code: "E_SERVER_ERROR",
    summary: "answers 500 to every execute",
    fault: (fired) =>
      answerFault(fired, onExecute, () => ({ status: 500, body: { detail: "Internal error" } })),
  },
  {
    id: "always-fails",
    breaks: "C02",
    code: "E_SAMPLE_FAILED",
    summary: "answers failed to everything, in the right form",
    fault: (fired) => ({
      work() {
        fired();
        throw new Error("The model could not be loaded");
      },
    }),
  },
  {
    id: "closes-unannounced",
    breaks: "C13",
    code: "E_CONNECTION_CLOSED",
    summary: "closes every connection after its reply, without saying so",
    fault: (fired) => ({
      server(server) {
        server.on("request", (_request, response) => {
          const { socket } = response;
          response.on("finish", () => {
            fired();
            socket?.end();
          });
        });
      },
    }),
  },
  {
    id: "extra-forbid",
    breaks: "C03",
    code: "E_EXTRA_REFUSED",
    summary: "refuses members that it does not know",
    fault(fired) {
      const known = new Set(["method", "workflow_id", "task_id", "inputs", "parameters"]);
      return requestFault(fired, (body) =>
        body instanceof Object && Object.keys(body).some((name) => !known.has(name))
          ? forbidden("extra inputs are not permitted")
          : undefined,
      );
    },
  },
  {
    id: "extra-forbid-in-inputs",
    breaks: "C03",
    code: "E_EXTRA_REFUSED",
    summary: "breaks over members of an input that it does not know",
    fault: (fired) => ({
      input(reference, next) {
        if (!("unknown_member" in reference)) return next();
        fired();
        throw new TypeError("unexpected keyword argument 'unknown_member'");
      },
    }),
  },
  {
    id: "params-absent-differs",
    breaks: "C04",
    code: "E_PARAMETERS_ABSENT",
    summary: "computes something else where `parameters` is absent",
    fault: (fired) => ({
      readBody(bytes, next) {
        const body = next();
        if ("parameters" in (parsed(bytes) as Body)) return body;
        fired();
        return { ...body, parameters: { mode: "none given" } };
      },
    }),
  },
  {
    id: "params-dropped",
    breaks: "C04",
    code: "E_PARAMETERS_DROPPED",
    summary: "never hands the parameters to the method",
    fault: (fired) => ({
      readBody(_bytes, next) {
        const body = next();
        if (Object.keys(body.parameters).length > 0) fired();
        return { ...body, parameters: { ms: 20 } };
      },
    }),
  },
  {
    id: "status-completed",
    breaks: "C05",
    code: "E_STATUS_LITERAL",
    summary: 'says "completed" instead of "complete"',
    fault: (fired) =>
      answerFault(fired, onExecute, (body) =>
        body.status === "complete" ? { body: { ...body, status: "completed" } } : undefined,
      ),
  },
  {
    id: "status-upper",
    breaks: "C05",
    code: "E_STATUS_LITERAL",
    summary: "says its status words in upper case",
    fault: (fired) =>
      answerFault(fired, onExecute, (body) =>
        typeof body.status === "string"
          ? { body: { ...body, status: body.status.toUpperCase() } }
          : undefined,
      ),
  },
  {
    id: "array-body",
    breaks: "C05",
    code: "E_NOT_JSON",
    summary: "answers a list with the answer in it",
    fault: (fired) =>
      answerFault(fired, onExecute, (body, { status }) => (status === 200 ? { body: [body] } : undefined)),
  },
  {
    id: "html-200",
    breaks: "C05",
    code: "E_NOT_JSON",
    summary: "answers 200 with a page of HTML",
    fault: (fired) =>
      answerFault(fired, onExecute, () => ({
        status: 200,
        headers: { "content-type": "text/html" },
        body: "<html><body>Welcome</body></html>",
      })),
  },
  {
    id: "error-object",
    breaks: "C05",
    code: "E_ERROR_NOT_TEXT",
    summary: "carries an object as `error`, also where nothing went wrong",
    fault: (fired) =>
      answerFault(fired, onExecute, (body, { status }) =>
        status === 200 ? { body: { ...body, error: { code: 0, message: body.error ?? "" } } } : undefined,
      ),
  },
  {
    id: "empty-200",
    breaks: "C05",
    code: "E_NOT_JSON",
    summary: "answers 200 without a body",
    fault: (fired) => answerFault(fired, onExecute, () => ({ status: 200, body: "" })),
  },
  {
    id: "json-as-html",
    breaks: "C05",
    code: "E_CONTENT_TYPE",
    summary: "says that its JSON is HTML",
    fault: (fired) => answerFault(fired, onExecute, () => ({ headers: { "content-type": "text/html" } })),
  },
  {
    id: "unknown-completes",
    breaks: "C06",
    code: "E_UNKNOWN_METHOD_RAN",
    summary: "answers complete to methods that it does not have",
    fault: (fired) => requestFault(fired, (body) => (isKnown(body) ? undefined : completed)),
  },
  {
    id: "unknown-500",
    breaks: "C06",
    code: "E_SERVER_ERROR",
    summary: "answers 500 to methods that it does not have",
    fault: (fired) =>
      requestFault(fired, (body) =>
        isKnown(body) ? undefined : { status: 500, body: { detail: "KeyError" } },
      ),
  },
  {
    id: "unknown-running",
    breaks: "C06",
    code: "E_UNKNOWN_METHOD_RAN",
    summary: "starts a task for methods that it does not have",
    fault: (fired) =>
      requestFault(fired, (body) =>
        isKnown(body) ? undefined : { status: 200, body: { status: "running", task_id: "none" } },
      ),
  },
  {
    id: "unknown-hangs",
    breaks: "C06",
    code: "E_DEADLINE",
    summary: "never answers for methods that it does not have",
    settings: { timeout_ms: 300 },
    fault: (fired) => ({
      call(call, next) {
        if (!isExecute(call) || isKnown(parsed(call.body))) return next();
        fired();
        return never();
      },
    }),
  },
  {
    id: "unknown-failed-silently",
    breaks: "C06",
    code: "E_ERROR_EMPTY",
    summary: "answers failed without a reason to methods that it does not have",
    fault: (fired) =>
      requestFault(fired, (body) =>
        isKnown(body) ? undefined : { status: 200, body: { status: "failed" } },
      ),
  },
  {
    id: "no-task-id-accepted",
    breaks: "C07",
    code: "E_INVALID_ACCEPTED",
    summary: "makes up a task_id where there is none",
    fault: (fired) => ({
      readBody(bytes, next) {
        const body = parsed(bytes);
        if (!(body instanceof Object) || "task_id" in body) return next();
        fired();
        return next(Buffer.from(JSON.stringify({ ...body, task_id: "made-up" })));
      },
    }),
  },
  {
    id: "bad-json-500",
    breaks: "C07",
    code: "E_SERVER_ERROR",
    summary: "answers 500 to what is no JSON",
    fault: (fired) =>
      requestFault(fired, (body) =>
        body === undefined ? { status: 500, body: { detail: "JSONDecodeError" } } : undefined,
      ),
  },
  {
    id: "null-body-500",
    breaks: "C07",
    code: "E_SERVER_ERROR",
    summary: "answers 500 to the body null",
    fault: (fired) =>
      requestFault(fired, (body) =>
        body === null ? { status: 500, body: { detail: "TypeError" } } : undefined,
      ),
  },
  {
    id: "invalid-creates-task",
    breaks: "C07",
    code: "E_TASK_CREATED",
    summary: "registers the task before it looks at the rest of the request",
    fault(fired) {
      let tasks = new Map<string, Task>();
      return {
        server(_server, service) {
          tasks = service.tasks;
        },
        readBody(bytes, next) {
          try {
            return next();
          } catch (error) {
            const { task_id } = (parsed(bytes) ?? {}) as Body;
            if (typeof task_id === "string" && task_id !== "") {
              fired();
              tasks.set(task_id, { ...unborn, handle: task_id, abort: new AbortController() } as Task);
            }
            throw error;
          }
        },
      };
    },
  },
  {
    id: "failed-no-error",
    breaks: "C08",
    code: "E_ERROR_EMPTY",
    summary: "says failed, and not why",
    fault: (fired) =>
      answerFault(fired, onExecute, ({ status }) =>
        status === "failed" ? { body: { status, error: null } } : undefined,
      ),
  },
  {
    id: "failed-error-object",
    breaks: "C08",
    code: "E_ERROR_NOT_TEXT",
    summary: "answers problem details as `error` of what failed",
    fault: (fired) =>
      answerFault(fired, onExecute, ({ status, error }) =>
        status === "failed" ? { body: { status, error: { title: error } } } : undefined,
      ),
  },
  {
    id: "failed-as-complete",
    breaks: "C08",
    code: "E_FAILURE_HIDDEN",
    summary: "answers the error as the result of a complete task",
    fault: (fired) =>
      answerFault(fired, onExecute, ({ status, error }) => {
        if (status !== "failed") return undefined;
        const uri = Buffer.from(JSON.stringify({ error })).toString("base64");
        return { body: { status: "complete", output: { protocol: "inline", uri, format: "json" } } };
      }),
  },
  {
    id: "execute-over-deadline",
    rowless: true,
    breaks: "C09",
    code: "E_DEADLINE",
    summary: "answers execute later than the orchestrator waits",
    settings: { execute_budget_ms: 50 },
    fault: (fired) => ({
      async call(call, next) {
        if (isExecute(call)) {
          fired();
          await new Promise((resolve) => setTimeout(resolve, 270));
        }
        return next();
      },
    }),
  },
  {
    id: "redirect-slash",
    breaks: "C10",
    code: "E_REDIRECT",
    summary: "redirects to the path with a slash at its end",
    fault: (fired) => ({
      async call(call, next) {
        if (!call.path.startsWith("/control/") || call.path.endsWith("/")) return next();
        fired();
        return { status: 307, headers: { location: `${call.path}/` }, body: "" };
      },
    }),
  },
  {
    id: "redirect-https",
    breaks: "C10",
    code: "E_REDIRECT",
    summary: "redirects polls to https",
    fault: (fired) =>
      answerFault(fired, onStatus, (_body, _answer, { path, headers }) => ({
        status: 301,
        headers: { location: `https://${headers.host}${path}` },
        body: "",
      })),
  },
  {
    id: "redirect-302-json",
    breaks: "C10",
    code: "E_REDIRECT",
    summary: "answers 302 with the right body in it",
    fault: (fired) =>
      answerFault(fired, onExecute, (_body, { status }) =>
        status === 200 ? { status: 302, headers: { location: "/control/elsewhere" } } : undefined,
      ),
  },
  {
    id: "get-execute-runs",
    breaks: "C11",
    code: "E_UNEXPECTED_STATUS",
    summary: "runs something for a GET of execute",
    fault: (fired) =>
      answerFault(fired, onExecute, (_body, _answer, { method }) =>
        method === "GET" ? { status: 200, headers: {}, body: completed.body } : undefined,
      ),
  },
  {
    id: "unknown-path-200",
    breaks: "C11",
    code: "E_UNEXPECTED_STATUS",
    summary: "answers every path that does not exist with its start page",
    fault: (fired) =>
      answerFault(fired, /^/, (_body, { status }, { path }) =>
        status === 404 && !/^\/control\/(?:status|output|data)\//.test(path)
          ? { status: 200, headers: { "content-type": "text/html" }, body: "<html></html>" }
          : undefined,
      ),
  },
  {
    id: "405-without-allow",
    breaks: "C11",
    code: "E_ALLOW_MISSING",
    summary: "does not say which method a path has",
    fault: (fired) =>
      answerFault(fired, onExecute, (_body, { status }) => (status === 405 ? { headers: {} } : undefined)),
  },
  {
    id: "head-500",
    breaks: "C11",
    code: "E_SERVER_ERROR",
    summary: "breaks over HEAD",
    fault: (fired) =>
      answerFault(fired, /^\/health$/, (_body, _answer, { method }) =>
        method === "HEAD" ? { status: 500 } : undefined,
      ),
  },
  {
    id: "unknown-status-running",
    breaks: "C12",
    code: "E_UNKNOWN_ID",
    summary: "says of every id that it runs",
    fault: (fired) =>
      answerFault(fired, onStatus, (_body, { status }) =>
        status === 404 ? { status: 200, body: { status: "running", progress: 0 } } : undefined,
      ),
  },
  {
    id: "unknown-status-null",
    breaks: "C12",
    code: "E_UNKNOWN_ID",
    summary: "answers the status of an unknown id with null",
    fault: (fired) =>
      answerFault(fired, onStatus, (_body, { status }) =>
        status === 404 ? { status: 200, body: "null" } : undefined,
      ),
  },
  {
    id: "unknown-output-500",
    breaks: "C12",
    code: "E_SERVER_ERROR",
    summary: "breaks over the output of an unknown id",
    fault: (fired) =>
      answerFault(fired, onOutput, (_body, { status }) => (status === 404 ? { status: 500 } : undefined)),
  },
  {
    id: "wrong-content-length",
    breaks: "C13",
    code: "E_MALFORMED_REPLY",
    summary: "announces characters instead of bytes, one less than come",
    settings: { timeout_ms: 800 },
    fault: (fired) =>
      answerFault(fired, onNothing, (body) => {
        const text = JSON.stringify({ ...body, detail: "Task not found, désolé" });
        return { headers: { "content-length": String(text.length) }, body: Buffer.from(text) };
      }),
  },
  {
    id: "long-content-length",
    breaks: "C13",
    code: "E_MALFORMED_REPLY",
    summary: "announces more bytes than come",
    settings: { timeout_ms: 800 },
    fault: (fired) =>
      answerFault(fired, onNothing, (body) => {
        const text = JSON.stringify(body);
        return { headers: { "content-length": String(text.length + 5) }, body: text };
      }),
  },
  {
    id: "keepalive-desync",
    breaks: "C13",
    code: "E_MALFORMED_REPLY",
    summary: "answers twice where it refuses a request with a body",
    fault: (fired) => ({
      async call(call, next) {
        const answer = await next();
        if (answer.status !== 404 || call.body.length === 0) return answer;
        fired();
        return {
          ...answer,
          stream(response) {
            const { socket } = response;
            response.writeHead(404, { "content-length": 2 }).end("{}");
            socket?.write("HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}");
          },
        };
      },
    }),
  },
  {
    id: "close-ignored",
    breaks: "C13",
    code: "E_CLOSE_IGNORED",
    summary: "keeps connections open that the caller wants closed",
    settings: { timeout_ms: 1500 },
    fault: (fired) => ({
      server(server) {
        server.prependListener("request", (request, response) => {
          if (request.headers.connection !== "close") return;
          fired();
          response.shouldKeepAlive = true;
        });
      },
    }),
  },
);
