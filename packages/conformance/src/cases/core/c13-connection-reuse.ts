import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { RawResult } from "../../wire/raw.ts";
import { requestHead } from "../../wire/raw.ts";

const calls = 20;

export const connectionReuse = defineCase({
  id: "C13",
  slug: "core/connection-reuse",
  profile: "core",
  level: "MUST",
  because: "rfc",
  rules: ["R-GEN-01"],
  needs: [],
  holds:
    "20 calls over one connection are answered one by one, each reply as long as it says, and `Connection: close` closes it",
  consequence:
    "Clients that keep connections, as the orchestrator's does, read the rest of one reply as the next one: tasks get each other's answers, or fail now and then without a reason.",
  fix: "Let an HTTP library write replies and read requests whole; Content-Length is the number of bytes, not of characters.",
  async run(t) {
    const alone = await askAlone(t);
    const requests = Array.from({ length: calls }, (_, at) => requestOf(t, at, alone));
    let at = 0;
    // A server may close whenever it says so; the rest is then asked over another connection.
    for (let connection = 0; at < calls && connection < calls; connection++) {
      const write = requests.slice(at).flatMap(({ text }, n) => [...text, { replies: n + 1 }]);
      const result = await t.raw({ write });
      for (const [n, reply] of result.replies.entries()) {
        const asked = requests[at + n];
        t.require(reply.status === asked?.status, "E_MALFORMED_REPLY", {
          expected: `reply ${at + n + 1} on one connection to be ${asked?.status ?? "none"}, as for that call alone`,
          found: `${reply.status} ${reply.body.toString().slice(0, 100)}: it belongs to another request`,
          at: result.exchange,
        });
      }
      at += result.replies.length;
      const { rest } = result;
      t.require(rest.length === 0, "E_MALFORMED_REPLY", {
        expected: `reply ${at} to be as long as it says`,
        found: `${rest.length} bytes that fit to no reply: ${JSON.stringify(rest.toString("latin1").slice(0, 100))}`,
        at: result.exchange,
      });
      endsAsItShould(t, result, at);
    }
  },
});

function endsAsItShould(t: CaseContext, { ended, replies, bytes, exchange }: RawResult, done: number): void {
  if (done === calls) {
    t.check(ended !== "timeout", "E_CLOSE_IGNORED", {
      expected: "the connection to be closed after the reply to `Connection: close`",
      found: "it stays open",
      at: exchange,
    });
    return;
  }
  const last = replies.at(-1);
  if (last === undefined || ended === "timeout" || ended === "refused") {
    t.require(false, ended === "timeout" ? "E_DEADLINE" : "E_NO_REPLY", {
      expected: `a reply to call ${done + 1}`,
      found: ended === "timeout" ? "none in time" : `the connection was ${ended}`,
      at: exchange,
    });
  }
  const isOld = bytes.subarray(0, 8).toString("latin1") === "HTTP/1.0";
  t.check(isOld || /\bclose\b/i.test(last?.headers.connection ?? ""), "E_CONNECTION_CLOSED", {
    level: "SHOULD",
    expected: "`Connection: close` with the last reply before the connection is closed",
    found: `none with reply ${done}`,
    at: exchange,
  });
}

interface Asked {
  text: string[];
  /** Of the reply to it. */
  status: number;
}

/** What the calls are answered over connections of their own. */
async function askAlone(t: CaseContext): Promise<number[]> {
  const unknown = [0, 0, 0];
  const statuses: number[] = [];
  for (const at of [0, 1, 2]) {
    const { bytes, ended } = await t.raw({ write: requestOf(t, at, unknown).text, replies: 1 });
    // How long the reply is has to be looked at later.
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(bytes.subarray(0, 16).toString("latin1"))?.[1];
    if (status === undefined) t.untestable(`one call alone is not answered (${ended}) : see C01 and C12`);
    statuses.push(Number(status));
  }
  const [health, task, path] = statuses;
  if (health === task && health === path) {
    t.untestable(
      `/health, an unknown task and an unknown path are all answered ${health} : see C01, C11 and C12`,
    );
  }
  return statuses;
}

/** A service that refuses it from its head alone must not leave it in the connection. */
const padded = JSON.stringify({ method: "NoSuchMethod", padding: "x".repeat(2000) });

/** Calls whose replies can be told apart; the last one asks for the end of the connection. */
function requestOf(t: CaseContext, at: number, [health, task, path]: readonly number[]): Asked {
  const isLast = at === calls - 1;
  const head = (method: string, where: string, headers: string[] = []) =>
    requestHead(t.base_url, method, where, [...headers, ...(isLast ? ["Connection: close"] : [])], t.token);
  if (at % 3 === 1 || isLast) {
    return { text: [head("GET", `/control/status/${t.id("task")}`)], status: task ?? 0 };
  }
  if (at % 3 === 2) {
    const length = ["Content-Type: application/json", `Content-Length: ${padded.length}`];
    return { text: [head("POST", `/control/${t.id("none")}`, length), padded], status: path ?? 0 };
  }
  return { text: [head("GET", "/health")], status: health ?? 0 };
}
