import { setTimeout as pause } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { answerFault, onData, onExecute } from "../faults.ts";
import type { Answer } from "../pristine.ts";
import { defineBenign, everyAnswer, isJson } from "./benign.ts";

const bytesOf = ({ body }: Answer): Buffer => {
  if (body === undefined) return Buffer.alloc(0);
  return Buffer.from(
    typeof body === "string" || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
  );
};

const typeOf = (answer: Answer) => (isJson(answer.body) ? { "content-type": "application/json" } : {});

/** Odd but legal replies: HTTP as other servers speak it. */
export const benignHttp = defineBenign(
  {
    id: "chunked-replies",
    summary: "sends replies in chunks, without a length",
    odd: (fired) => ({
      async call(call, next) {
        const answer = await next();
        if (answer.stream !== undefined || answer.status === 204) return answer;
        fired();
        return {
          status: answer.status,
          stream: (response) => {
            response.writeHead(answer.status, { ...typeOf(answer), ...answer.headers });
            const bytes = bytesOf(answer);
            const half = Math.ceil(bytes.length / 2);
            if (call.method === "HEAD") return void response.end();
            response.write(bytes.subarray(0, half), () => response.end(bytes.subarray(half)));
          },
        };
      },
    }),
  },
  {
    id: "http-1.0",
    summary: "answers as HTTP/1.0 and closes after every reply, as Python's own server does",
    odd: (fired) => ({
      async call(call, next) {
        const answer = await next();
        const { socket } = call.response;
        if (answer.stream !== undefined || socket === null) return answer;
        fired();
        return {
          status: answer.status,
          stream: () => {
            const headers = { ...typeOf(answer), ...answer.headers, server: "BaseHTTP/0.6 Python/3.11" };
            const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
            const head = [`HTTP/1.0 ${answer.status} Whatever`, ...lines, "", ""].join("\r\n");
            socket.end(
              Buffer.concat([
                Buffer.from(head, "latin1"),
                call.method === "HEAD" ? Buffer.alloc(0) : bytesOf(answer),
              ]),
            );
          },
        };
      },
    }),
  },
  {
    id: "closes-every-connection",
    summary: "says Connection: close to every reply",
    odd: (fired) => everyAnswer(fired, ({ headers }) => ({ headers: { ...headers, connection: "close" } })),
  },
  {
    id: "header-case",
    summary: "writes header names in capitals",
    odd: (fired) => ({
      async call(call, next) {
        const answer = await next();
        if (answer.stream !== undefined) return answer;
        fired();
        return {
          status: answer.status,
          stream: (response) => {
            const bytes = bytesOf(answer);
            const all = { ...typeOf(answer), "content-length": bytes.length, ...answer.headers };
            for (const [name, value] of Object.entries(all)) response.setHeader(name.toUpperCase(), value);
            response.writeHead(answer.status).end(call.method === "HEAD" ? undefined : bytes);
          },
        };
      },
    }),
  },
  {
    id: "media-type-with-charset",
    summary: "names the charset of its JSON",
    odd: (fired) =>
      everyAnswer(fired, ({ body, headers }) =>
        isJson(body)
          ? { headers: { "content-type": "application/json; charset=utf-8", ...headers } }
          : undefined,
      ),
  },
  {
    id: "gzip-when-asked",
    summary: "compresses replies for those who say that they take it",
    odd: (fired) =>
      everyAnswer(fired, (answer, call) => {
        fired();
        if (!/gzip/.test(String(call.headers["accept-encoding"] ?? ""))) return undefined;
        const headers = {
          ...typeOf(answer),
          ...answer.headers,
          "content-encoding": "gzip",
          vary: "Accept-Encoding",
        };
        return { headers, body: gzipSync(bytesOf(answer)) };
      }),
  },
  {
    id: "gzip-unasked",
    summary: "compresses every reply, whoever asks",
    odd: (fired) =>
      everyAnswer(fired, (answer) => {
        const headers = { ...typeOf(answer), ...answer.headers, "content-encoding": "gzip" };
        return { headers, body: gzipSync(bytesOf(answer)) };
      }),
  },
  {
    id: "clock-a-day-late",
    summary: "has a clock that is a day late",
    odd: (fired) =>
      everyAnswer(fired, ({ headers }) => ({
        headers: { ...headers, date: new Date(Date.now() - 86_400_000).toUTCString() },
      })),
  },
  {
    id: "cookies-and-policies",
    summary: "sends cookies, security policies and a server name with everything",
    odd: (fired) =>
      everyAnswer(fired, ({ headers }) => ({
        headers: {
          ...headers,
          "set-cookie": "session=abc; Path=/; HttpOnly",
          "strict-transport-security": "max-age=31536000",
          server: "uvicorn",
          "x-request-id": "4711",
          "cache-control": "no-store",
        },
      })),
  },
  {
    id: "far-away",
    summary: "is 25 ms away",
    odd: (fired) => ({
      async call(_call, next) {
        fired();
        await pause(25);
        return next();
      },
    }),
  },
  {
    id: "ipv6",
    summary: "listens on IPv6",
    service: { host: "::1" },
    odd: (fired) => everyAnswer(fired, () => ({})),
  },
  {
    id: "data-with-ranges",
    summary: "answers a range of a payload with 206, as it should be",
    odd: (fired) =>
      answerFault(fired, onData, (_body, answer, call) => {
        if (answer.status !== 200) return undefined;
        const bytes = bytesOf(answer);
        const headers = { ...answer.headers, "accept-ranges": "bytes", etag: '"v1"' };
        const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(call.headers.range ?? "") ?? [];
        if (from === "" && to === "") return { headers };
        const first = from === "" ? Math.max(0, bytes.length - Number(to)) : Number(from);
        const last = from === "" || to === "" ? bytes.length - 1 : Math.min(Number(to), bytes.length - 1);
        if (first > last) {
          return { status: 416, headers: { "content-range": `bytes */${bytes.length}` }, body: "" };
        }
        return {
          status: 206,
          headers: { ...headers, "content-range": `bytes ${first}-${last}/${bytes.length}` },
          body: bytes.subarray(first, last + 1),
        };
      }),
  },
  {
    id: "data-media-type-with-charset",
    summary: "names the charset of its payloads",
    odd: (fired) =>
      answerFault(fired, onData, (_body, answer) =>
        answer.status === 200
          ? { headers: { ...answer.headers, "content-type": "application/json; charset=UTF-8" } }
          : undefined,
      ),
  },
  {
    id: "payloads-elsewhere",
    summary: "serves its payloads under a path of its own",
    odd: (fired) => ({
      async call(call, next) {
        const [, handle] = /^\/files\/([^/]+)\/result\.json$/.exec(call.path) ?? [];
        return handle === undefined ? next() : next({ ...call, path: `/control/data/${handle}` });
      },
      async publish(_task, _made, next) {
        const reference = await next();
        if (reference?.protocol !== "http") return reference;
        fired();
        return {
          ...reference,
          uri: `${reference.uri.replace("/control/data/", "/files/")}/result.json?v=1&x=%20a`,
        };
      },
    }),
  },
  {
    id: "payloads-by-another-name",
    summary: "names itself localhost in the URLs of its payloads",
    odd: (fired) => ({
      async publish(_task, _made, next) {
        const reference = await next();
        if (reference?.protocol !== "http") return reference;
        fired();
        return { ...reference, uri: reference.uri.replace("127.0.0.1", "localhost") };
      },
    }),
    // Node asks for IPv6 first where localhost has both.
    service: { host: "127.0.0.1" },
  },
  {
    id: "slow-acknowledgement",
    summary: "takes some of its time before it answers running",
    odd: (fired) => ({
      async call(call, next) {
        if (!onExecute.test(call.path)) return next();
        const answer = await next();
        if ((answer.body as { status?: string })?.status !== "running") return answer;
        fired();
        // More than a second, as the zoo lives.
        await pause(120);
        return answer;
      },
    }),
    warns: ["T03"],
  },
);
