import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { RawResult } from "../../wire/raw.ts";
import { requestHead } from "../../wire/raw.ts";
import { describeRaw, plainRequest, post, requireAlive, withstood } from "./probe.ts";

const mebibyte = 2 ** 20;
/** More than a request has any use for: payloads of that size travel as references. */
const bodyMebibytes = 64;
const long = 64 * 1024;

export const oversize = defineCase({
  id: "R07",
  slug: "rob/oversize",
  profile: "robustness",
  level: "MUST",
  because: "security",
  rules: ["R-EXEC-14"],
  needs: [],
  holds:
    "A body of 64 MiB, a header of 64 KiB and a URL of 64 KiB are refused or read; the service lives on, and its memory does not grow",
  consequence: "A few large requests end the process, and with it every task of every workflow.",
  fix: "Limit the size of a body (16 MiB, say) and answer 413 before it is read whole.",
  destructive: true,
  async run(t) {
    for (const [what, call] of [
      ["a header of 64 KiB", { path: "/control/status/x", headers: { "x-conformance": "a".repeat(long) } }],
      ["a URL of 64 KiB", { path: `/control/status/${"a".repeat(long)}` }],
    ] as const) {
      const exchange = await t.send({ ...call, fresh: true });
      await requireAlive(t, what, exchange);
      withstood(t, exchange, what, { close: true });
    }
    const small = await post(t, plainRequest(t));
    const result = await sendLarge(t);
    const { exchange } = result;
    await requireAlive(t, `a body of ${bodyMebibytes} MiB`, exchange);
    withstood(t, exchange, `a body of ${bodyMebibytes} MiB`, { close: result.ended !== "timeout" });
    // Answered like the small one, so it was read and understood.
    const isRead =
      exchange.reply?.status === small.reply?.status &&
      exchange.reply?.body.equals(small.reply?.body ?? exchange.reply.body);
    t.check(!isRead, "E_NO_BODY_LIMIT", {
      level: "SHOULD",
      expected: `413 to a body of ${bodyMebibytes} MiB`,
      found: `it was read whole, and answered ${describeRaw(result)}`,
      at: [small, exchange],
    });
    await checkMemory(t);
  },
});

/** A body whose size is right, and nothing else wrong with it. */
function sendLarge(t: CaseContext): Promise<RawResult> {
  const [before = "", after = ""] = JSON.stringify(plainRequest(t, { parameters: { pad: "PAD" } })).split(
    "PAD",
  );
  const length = before.length + bodyMebibytes * mebibyte + after.length;
  const head = requestHead(
    t.base_url,
    "POST",
    "/control/execute",
    ["Content-Type: application/json", `Content-Length: ${length}`],
    t.token,
  );
  const pad = { bytes: Buffer.alloc(mebibyte, "a"), times: bodyMebibytes };
  return t.raw({ write: [head + before, pad, after], replies: 1 });
}

/** Where the harness sees the process: what large requests took comes back, or is used again. */
async function checkMemory(t: CaseContext): Promise<void> {
  const settled = async () => {
    for (let time = 0; time < 2; time++) await sendLarge(t);
    await t.pause(1000);
    return t.spawned?.rss();
  };
  if ((await t.spawned?.rss()) === undefined) return;
  const first = await settled();
  const second = await settled();
  if (first === undefined || second === undefined) return;
  const grown = (second - first) / mebibyte;
  // A heap may grow once; bodies that all stay are no heap.
  t.check(grown < 1.5 * bodyMebibytes, "E_MEMORY", {
    expected: `memory that does not grow with every body of ${bodyMebibytes} MiB`,
    found: `${Math.round(grown)} MiB more after two of them`,
  });
}
