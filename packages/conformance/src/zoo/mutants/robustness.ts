import { readFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { join } from "node:path";
import {
  answerFault,
  bytesFault,
  dieOf,
  executeFault,
  onExecute,
  onStatus,
  requestFault,
} from "../faults.ts";
import { defineMutants } from "../mutant.ts";
import type { Task } from "../pristine.ts";

const serverError = { status: 500, body: { detail: "Internal Server Error" } };
const done = (text: string) => ({
  status: 200,
  body: {
    status: "complete",
    output: { protocol: "inline", uri: Buffer.from(JSON.stringify(text)).toString("base64"), format: "json" },
  },
});

/** The pristine service's own limit. */
const longestBody = 16 * 2 ** 20;

function splitHead(bytes: Buffer): { head: string; body: Buffer } {
  const end = bytes.indexOf("\r\n\r\n") + 4;
  return { head: bytes.subarray(0, end).toString("latin1"), body: bytes.subarray(end) };
}

/** Faults that cases of the profile robustness have to catch. */
export const robustnessMutants = defineMutants(
  {
    id: "surrogate-500",
    breaks: "R01",
    code: "E_SERVER_ERROR",
    summary: "cannot encode a reply to a request with a lone surrogate",
    fault: (fired) => executeFault(fired, (text) => (/\\ud[89ab]../i.test(text) ? serverError : undefined)),
  },
  {
    id: "bad-utf8-500",
    breaks: "R01",
    code: "E_SERVER_ERROR",
    summary: "throws on a body that is no UTF-8",
    fault: (fired) =>
      executeFault(fired, (_text, { body }) =>
        Buffer.from(body.toString()).equals(body) ? undefined : serverError,
      ),
  },
  {
    id: "deep-500",
    breaks: "R02",
    code: "E_SERVER_ERROR",
    summary: "a recursion over parameters overflows the stack",
    fault: (fired) =>
      executeFault(fired, (text) => (text.includes("[".repeat(9999)) ? serverError : undefined)),
  },
  {
    id: "deep-crash",
    breaks: "R02",
    code: "E_DIED",
    summary: "a body that is nested deeply ends the process",
    fault(fired) {
      const { server, die } = dieOf(fired);
      return {
        server,
        call: (call, next) => (call.body.includes('{"a":'.repeat(9999)) ? die() : next()),
      };
    },
  },
  {
    id: "bigint-500",
    breaks: "R03",
    code: "E_SERVER_ERROR",
    summary: "refuses to turn more than 4,300 digits into an integer, by throwing",
    fault: (fired) => executeFault(fired, (text) => (/\d{4301}/.test(text) ? serverError : undefined)),
  },
  {
    id: "nan-500",
    breaks: "R03",
    code: "E_SERVER_ERROR",
    summary: "reads NaN as Python does, and cannot write it",
    fault: (fired) => executeFault(fired, (text) => (/[:[]\s*NaN\b/.test(text) ? serverError : undefined)),
  },
  {
    id: "proto-pollution",
    breaks: "R04",
    code: "E_POLLUTED",
    summary: "merges parameters into its defaults, __proto__ included",
    fault(fired) {
      // Stands for Object.prototype, which is the harness's own here.
      const inherited: Record<string, unknown> = {};
      return {
        readBody(body, next) {
          const read = next();
          const parameters: Record<string, unknown> = { ...inherited, ...read.parameters };
          const own = Object.entries(read.parameters).find(([name]) => name === "__proto__")?.[1];
          if (own !== undefined) {
            fired();
            Object.assign(inherited, own);
          }
          return body.length === 0 ? read : { ...read, parameters };
        },
      };
    },
  },
  {
    id: "method-tostring",
    breaks: "R04",
    code: "E_INJECTION",
    summary: "looks methods up in an object, and finds those of every object",
    fault: (fired) =>
      executeFault(fired, (_text, _call, { method }) =>
        typeof method === "string" && typeof ({} as Record<string, unknown>)[method] === "function"
          ? done("[object Object]")
          : undefined,
      ),
  },
  {
    id: "getattr-dispatch",
    breaks: "R05",
    code: "E_INJECTION",
    summary: "looks methods up with getattr, and finds those that every class has",
    fault: (fired) =>
      executeFault(fired, (_text, _call, { method }) =>
        /^__(?:class|init|call)__$/.test(String(method)) ? done("<class 'Handler'>") : undefined,
      ),
  },
  {
    id: "dynamic-require",
    breaks: "R05",
    code: "E_INJECTION",
    summary: "loads the module of the method's name",
    fault: (fired) =>
      executeFault(fired, (_text, _call, { method }) =>
        builtinModules.includes(String(method).replace(/^node:/, "")) ? done(`module ${method}`) : undefined,
      ),
  },
  {
    id: "path-join-id",
    breaks: "R06",
    code: "E_FILE_LEAK",
    summary: "joins the id to the folder of payloads",
    fault(fired) {
      return {
        async call({ path, ...call }, next) {
          const id = /^\/control\/data\/(.+)$/.exec(path)?.[1];
          if (id === undefined) return next();
          try {
            const body = await readFile(join("/tmp/payloads", decodeURIComponent(id)));
            fired();
            return { status: 200, headers: { "content-type": "text/plain" }, body };
          } catch {
            return next({ path, ...call });
          }
        },
      };
    },
  },
  {
    id: "id-500",
    breaks: "R06",
    code: "E_SERVER_ERROR",
    summary: "throws on an id with a NUL",
    fault: (fired) => answerFault(fired, /%00/, () => serverError),
  },
  {
    id: "oversize-crash",
    breaks: "R07",
    code: "E_DIED",
    summary: "a body that is too large ends the process",
    fault(fired) {
      const { server: remember, die } = dieOf(fired);
      const { server: listen } = requestFault((own) => (request, response) => {
        if (Number(request.headers["content-length"]) > longestBody) void die();
        else own(request, response);
      });
      return {
        server(server, state) {
          remember(server, state);
          listen(server, state);
        },
      };
    },
  },
  {
    id: "no-body-limit",
    breaks: "R07",
    code: "E_NO_BODY_LIMIT",
    summary: "reads bodies of any size",
    fault: (fired) =>
      requestFault((own) => async (request, response) => {
        if (!(Number(request.headers["content-length"]) > longestBody)) return own(request, response);
        const pieces: Buffer[] = [];
        for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
        fired();
        const { method } = JSON.parse(Buffer.concat(pieces).toString());
        const body = JSON.stringify({
          detail: `Unknown method: ${method}. Available: Echo, Load, Save, Sink, Train`,
        });
        response.writeHead(400, { "content-type": "application/json" }).end(body);
      }),
  },
  {
    id: "oversize-kept",
    breaks: "R07",
    code: "E_MEMORY",
    summary: "refuses bodies that are too large after it has read them, and keeps them",
    spawned: { FAULT: "oversize-kept" },
    fault: () => ({}),
  },
  {
    id: "short-body-accepted",
    rowless: true,
    breaks: "R08",
    code: "E_BROKEN_FRAMING_ACCEPTED",
    summary: "carries out a request whose body is shorter than it announces",
    fault: (fired) =>
      bytesFault((bytes) => {
        const { head, body } = splitHead(bytes);
        const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
        if (!(length > body.length) || !body.includes("}")) return bytes;
        try {
          JSON.parse(body.toString());
        } catch {
          // The rest is still on its way.
          return bytes;
        }
        fired();
        return Buffer.concat([Buffer.from(head.replace(String(length), String(body.length))), body]);
      }),
  },
  {
    id: "cl-te-desync",
    rowless: true,
    breaks: "R08",
    code: "E_DESYNC",
    summary: "goes by Content-Length where chunks are announced as well",
    fault: (fired) =>
      bytesFault((bytes, socket) => {
        const { head, body } = splitHead(bytes);
        const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
        if (Number.isNaN(length) || !/\r\ntransfer-encoding:/i.test(head)) return bytes;
        fired();
        socket.write(
          "HTTP/1.1 422 Unprocessable Entity\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        );
        return body.subarray(length);
      }),
  },
  {
    id: "one-connection-at-a-time",
    breaks: "R09",
    code: "E_DEADLINE",
    summary: "accepts no connection before the one before it has sent its request",
    fault(fired) {
      let turn: Promise<unknown> = Promise.resolve();
      return bytesFault((bytes, socket) => {
        if (bytes.includes("\r\n\r\n")) return turn.then(() => bytes);
        fired();
        turn = Promise.all([turn, new Promise((resolve) => socket.once("end", resolve))]);
        socket.once("end", () => socket.destroy()).resume();
        return turn.then(() => bytes);
      });
    },
  },
  {
    id: "no-header-timeout",
    breaks: "R09",
    code: "E_SLOW_CLIENT_KEPT",
    summary: "waits for the end of a request's headers for ever",
    fault: (fired) => ({
      server(server) {
        server.headersTimeout = 0;
        server.requestTimeout = 0;
        server.on("connection", (socket) => {
          setTimeout(() => socket.bytesRead > 0 && !socket.destroyed && fired(), 1100).unref();
        });
      },
    }),
  },
  {
    id: "gzip-500",
    breaks: "R10",
    code: "E_SERVER_ERROR",
    summary: "decodes a compressed body as text",
    fault: (fired) =>
      executeFault(fired, (_text, { headers }) =>
        headers["content-encoding"] === "gzip" ? serverError : undefined,
      ),
  },
  {
    id: "no-ctype-500",
    breaks: "R10",
    code: "E_SERVER_ERROR",
    summary: "looks for JSON in a media type that is not there",
    fault: (fired) =>
      executeFault(fired, (_text, { headers }) =>
        headers["content-type"] === undefined ? serverError : undefined,
      ),
  },
  {
    id: "stack-trace",
    breaks: "R11",
    code: "E_INTERNALS",
    summary: "answers a body that is no JSON with the stack",
    fault: (fired) =>
      answerFault(fired, onExecute, (_body, { status }, call) => {
        if (status !== 422 || call.body.toString() !== "{") return undefined;
        return { status, body: { detail: new SyntaxError("Expected JSON").stack } };
      }),
  },
  {
    id: "leaks-env",
    breaks: "R11",
    code: "E_INTERNALS",
    summary: "answers an unknown path with its environment, for debugging",
    fault: (fired) =>
      answerFault(fired, /^\/control\/none-/, () => ({
        body: { detail: "Not Found", env: { PATH: "/usr/local/bin:/usr/bin", HOME: "/root" } },
      })),
  },
  {
    id: "500-on-negative",
    breaks: "R12",
    code: "E_SERVER_ERROR",
    summary: "cannot count below 0",
    fault: (fired) =>
      executeFault(fired, (text) =>
        /[:,[]-[1-9]/.test(text.replace(/"(?:[^"\\]|\\.)*"/g, '""')) ? serverError : undefined,
      ),
  },
  {
    id: "500-on-key-37",
    breaks: "R12",
    code: "E_SERVER_ERROR",
    summary: "uses names of members, character 37 included, as formats",
    fault: (fired) =>
      executeFault(fired, (text) =>
        /"(?:[^"\\]|\\.)*%(?:[^"\\]|\\.)*":/.test(text) ? serverError : undefined,
      ),
  },
  {
    id: "hang-on-empty-key",
    breaks: "R12",
    code: "E_DEADLINE",
    summary: "never answers a request with a member whose name is empty",
    settings: { timeout_ms: 300 },
    fault: (fired) => ({
      call(call, next) {
        if (!/[{,]"":/.test(call.body.toString())) return next();
        fired();
        return new Promise(() => {});
      },
    }),
  },
  {
    id: "any-parameters",
    breaks: "R12",
    code: "E_INVALID_ACCEPTED",
    summary: "completes whatever the parameters are, be they no object",
    fault: (fired) =>
      executeFault(fired, (_text, _call, { parameters = {} }) =>
        typeof parameters === "object" ? undefined : done("done"),
      ),
  },
  {
    id: "regress-after-3-dups",
    breaks: "R13",
    code: "E_CONTRADICTION",
    summary: "runs a task again when its request came a fourth time",
    fault(fired) {
      const counts = new Map<string, number>();
      const seen = new Set<string>();
      let tasks: Map<string, Task> = new Map();
      return {
        async call(call, next) {
          const answer = await next();
          const { status } = (answer.body ?? {}) as { status?: string };
          if (onStatus.test(call.path) && status !== "running") seen.add(call.path.split("/").at(-1) ?? "");
          return answer;
        },
        server(_server, state) {
          tasks = state.tasks;
        },
        handle({ workflow_id, task_id }, next) {
          const pair = `${workflow_id}/${task_id}`;
          const count = (counts.get(pair) ?? 0) + 1;
          counts.set(pair, count);
          for (const task of count < 4 ? [] : tasks.values()) {
            if (!seen.has(task.handle) || `${task.body.workflow_id}/${task.body.task_id}` !== pair) continue;
            fired();
            task.status = "running";
          }
          return next();
        },
      };
    },
  },
  {
    id: "id-reused-after-20",
    breaks: "R13",
    code: "E_HANDLE_REUSED",
    summary: "counts its tasks from 0 to 19, and then from 0 again",
    fault(fired) {
      let serial = 0;
      return {
        handle() {
          if (serial >= 20) fired();
          return `task-${serial++ % 20}`;
        },
      };
    },
  },
  {
    id: "status-of-wrong-task",
    breaks: "R13",
    code: "E_CONTRADICTION",
    summary: "answers for the newest task of a workflow that has more than three",
    fault(fired) {
      let tasks: Map<string, Task> = new Map();
      return {
        server(_server, state) {
          tasks = state.tasks;
        },
        find(_id, next) {
          const task = next();
          const same = [...tasks.values()].filter(({ body }) => body.workflow_id === task?.body.workflow_id);
          if (task === undefined || same.length <= 3 || same.at(-1) === task) return task;
          fired();
          return same.at(-1);
        },
      };
    },
  },
);
