import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { type RawResult, requestHead } from "../../wire/raw.ts";
import { isServed } from "../prerequisites.ts";
import { describeRaw, lightSample, noMethod, plainRequest, post, requireAlive } from "./probe.ts";

/** A request whose framing is broken, and what is broken about it. */
interface Lie {
  what: string;
  headers: readonly string[];
  body: string;
}

export const lengthLies = defineCase({
  id: "R08",
  slug: "rob/length-lies",
  profile: "robustness",
  level: "MUST",
  because: "rfc",
  rules: ["R-EXEC-12", "R-GEN-01"],
  needs: [],
  holds:
    "Requests whose length is not what they announce are answered 400 or cut: none is carried out, none is read as two",
  consequence:
    "A request that was cut on its way runs with half of its data; behind a proxy a caller can slip in requests of others.",
  fix: "Leave framing to a maintained HTTP server, in strict mode, and update it; do not read a body until it ends by itself.",
  destructive: true,
  async run(t) {
    const sample = lightSample(t);
    for (const lie of liesOf(() => (sample ? t.requestOf(sample) : plainRequest(t)))) {
      const result = await speak(t, lie);
      await requireAlive(t, lie.what, result.exchange);
      const [reply] = result.replies;
      const { task_id } = idsOf(lie.body);
      const isDone = reply !== undefined && (reply.status < 300 || reply.body.includes(noMethod));
      t.check(!isDone, "E_BROKEN_FRAMING_ACCEPTED", {
        expected: `400, or the end of the connection, for ${lie.what}`,
        found: describeRaw(result),
        at: result.exchange,
      });
      t.check(reply === undefined || reply.status < 500 || reply.status === 501, "E_SERVER_ERROR", {
        expected: `400 for ${lie.what}`,
        found: describeRaw(result),
        at: result.exchange,
      });
      if (isDone || sample === undefined || task_id === undefined) continue;
      const status = await t.send({ path: `/control/status/${task_id}` });
      t.check(!isServed(status), "E_BROKEN_FRAMING_ACCEPTED", {
        expected: `no task to be there after ${lie.what}`,
        found: `${status.reply?.status} for the task_id of that request`,
        at: [result.exchange, status],
      });
    }
    await checkSmuggling(t);
    const plain = await post(t, plainRequest(t));
    t.check(plain.reply !== undefined, "E_DESYNC", {
      expected: "an answer to a whole request after all that",
      found: plain.silence?.message ?? "nothing",
      at: plain,
    });
  },
});

function liesOf(request: () => Record<string, unknown>): Lie[] {
  const lie = (what: string, of: (body: string) => { headers: string[]; body?: string }): Lie => {
    const body = JSON.stringify(request());
    return { what, body, ...of(body) };
  };
  const length = (body: string) => Buffer.byteLength(body);
  const chunked = "Transfer-Encoding: chunked";
  const hex = (body: string) => length(body).toString(16);
  return [
    lie("a body that is shorter than its Content-Length", (body) => ({
      headers: [`Content-Length: ${length(body) + 50}`],
    })),
    lie("a Content-Length that ends in the middle of the JSON", (body) => ({
      headers: [`Content-Length: ${Math.floor(length(body) / 2)}`],
    })),
    lie("two Content-Lengths", (body) => ({
      headers: [`Content-Length: ${length(body) - 5}`, `Content-Length: ${length(body)}`],
    })),
    lie("two Content-Lengths in one line", (body) => ({
      headers: [`Content-Length: ${length(body) - 5}, ${length(body)}`],
    })),
    lie("a Content-Length that is no number", () => ({ headers: ["Content-Length: many"] })),
    lie("a Content-Length below 0", () => ({ headers: ["Content-Length: -1"] })),
    lie("a chunk whose size is no number", (body) => ({
      headers: [chunked],
      body: `zz\r\n${body}\r\n0\r\n\r\n`,
    })),
    lie("a chunk whose size is below 0", (body) => ({
      headers: [chunked],
      body: `-1\r\n${body}\r\n0\r\n\r\n`,
    })),
    lie("chunks that do not end", (body) => ({ headers: [chunked], body: `${hex(body)}\r\n${body}\r\n` })),
  ];
}

function speak(t: CaseContext, { headers, body }: Pick<Lie, "headers" | "body">): Promise<RawResult> {
  const head = requestHead(
    t.base_url,
    "POST",
    "/control/execute",
    ["Content-Type: application/json", ...headers],
    t.token,
  );
  // Half-closed, so that a service that waits for more sees that none will come. A 501 is legal, and judged here.
  return t.raw({
    write: [head + body],
    end: true,
    may_be_5xx: true,
    timeout_ms: Math.max(1000, t.scaled(3000)),
  });
}

/** With both framings the chunks count (RFC 9112, 6.1): what Content-Length leaves over is no request. */
async function checkSmuggling(t: CaseContext): Promise<void> {
  // What ends the chunks is a body of the inner request, should it be read as one.
  const inner = requestHead(t.base_url, "GET", "/health", ["Content-Length: 7"]);
  const size = `${inner.length.toString(16)}\r\n`;
  const body = `${size}${inner}\r\n0\r\n\r\n`;
  const length = `Content-Length: ${size.length}`;
  const chunked = "Transfer-Encoding: chunked";
  for (const headers of [
    [length, chunked],
    [chunked, length],
  ]) {
    const result = await speak(t, { headers, body });
    t.check(result.replies.length < 2, "E_DESYNC", {
      expected: "one request with Content-Length and chunks to be refused, or read by its chunks",
      found: `two replies: ${describeRaw(result)}`,
      at: result.exchange,
    });
    await requireAlive(t, "a request with Content-Length and chunks", result.exchange);
  }
}

function idsOf(text: string): { task_id: string | undefined } {
  return { task_id: /"task_id":"([\w.:-]+)"/.exec(text)?.[1] };
}
