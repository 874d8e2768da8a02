import { expect, it } from "vitest";
import { judge } from "../engine/drive.ts";
import { type Exchange, History } from "./exchange.ts";

const mebibyte = 2 ** 20;

/** An answer to execute with an inline output of so many bytes. */
function exchangeOf(length: number): Omit<Exchange, "n"> {
  const output = { protocol: "inline", uri: Buffer.alloc(length, "x").toString("base64"), format: "binary" };
  const body = Buffer.from(JSON.stringify({ status: "complete", output }));
  return {
    case_id: "",
    kind: "execute",
    valid: true,
    request: { method: "POST", path: "/control/execute", headers: [], body: Buffer.alloc(0) },
    reply: { status: 200, headers: {}, body, cut: false },
    silence: undefined,
    sent_at: 0,
    answered_at: 0,
    ended_at: 0,
    connection: 1,
  };
}

const kept = (history: History) =>
  history.exchanges.reduce((sum, { reply }) => sum + (reply?.body.length ?? 0), 0);

it("does not fill the memory with long replies, and knows all the same what they came to", () => {
  const history = new History();
  const given = Array.from({ length: 20 }, () => history.add(exchangeOf(6 * mebibyte)));
  expect(kept(history)).toBeLessThan(70 * mebibyte);
  // Whoever asked gets all of it.
  for (const exchange of given) expect(exchange.reply?.body.length).toBeGreaterThan(8 * mebibyte);
  for (const exchange of history.exchanges) {
    expect(judge(exchange, "execute")).toMatchObject({ accepted: true, read_as: { status: "complete" } });
  }
  const last = history.exchanges.at(-1);
  expect([last?.reply?.cut, last?.reply?.body.length]).toEqual([true, 4096]);
  expect(JSON.stringify(last?.judged).length).toBeLessThan(100_000);
});

it("keeps what is short, however much of it there is", () => {
  const history = new History();
  for (let n = 0; n < 100; n++) history.add(exchangeOf(mebibyte / 2));
  expect(history.exchanges.every(({ reply }) => reply?.cut === false)).toBe(true);
});
