import type { CaseContext } from "../../engine/context.ts";
import { readAs } from "../../engine/drive.ts";
import type { Sample } from "../../target/sample.ts";
import type { Exchange, ReceivedReply } from "../../wire/exchange.ts";
import type { RawResult } from "../../wire/raw.ts";

/** A method that no service has. */
export const noMethod = "ConformanceNoSuchMethod";

/** A request that is valid, of which nothing is carried out. */
export function plainRequest(t: CaseContext, members: Readonly<Record<string, unknown>> = {}) {
  return {
    method: noMethod,
    workflow_id: t.id("wf"),
    task_id: t.id("task"),
    inputs: [],
    parameters: {},
    ...members,
  };
}

/** The sample whose work costs the service least, where there is one. */
export function lightSample(t: CaseContext): Sample | undefined {
  const rank = (sample: Sample) => sample.at_least_ms + (sample.mode === "sequential" ? 0 : 1);
  return t.samples().toSorted((one, other) => rank(one) - rank(other))[0];
}

/** Sends a body to execute as it is. */
export function post(
  t: CaseContext,
  body: unknown,
  headers: Readonly<Record<string, string | null>> = {},
): Promise<Exchange> {
  return t.send({ method: "POST", path: "/control/execute", body, headers });
}

/** What may become of a request beside a reply of below 500. */
export interface Tolerance {
  /** The connection may be closed without a reply. @default false */
  close?: boolean;
}

/** Checks that something odd was answered, and with no 5xx; gives back the reply where it was. */
export function withstood(
  t: CaseContext,
  exchange: Exchange,
  what: string,
  { close = false }: Tolerance = {},
): ReceivedReply | undefined {
  const { reply, silence } = exchange;
  if (reply === undefined) {
    const isClosed = silence?.kind === "closed" || silence?.kind === "malformed";
    t.check(close && isClosed, silence?.kind === "timeout" ? "E_DEADLINE" : "E_NO_REPLY", {
      expected: `an answer to ${what}`,
      found: silence?.message ?? "nothing",
      at: exchange,
    });
    return undefined;
  }
  const holds = reply.status < 500 || isBusy(reply);
  t.check(holds, "E_SERVER_ERROR", {
    expected: `a 4xx, or 200 with failed, to ${what}`,
    found: `${reply.status} ${excerpt(reply.body)}`,
    at: exchange,
  });
  return holds ? reply : undefined;
}

/** A queue that is full says so with 503 (R-EXEC-15); that is no crash. */
export function isBusy({ status, headers }: ReceivedReply): boolean {
  return status === 503 && headers["retry-after"] !== undefined;
}

/** As {@link withstood}; of a task that it began in the background the status has to be readable too. */
export async function withstoodExecute(t: CaseContext, exchange: Exchange, what: string): Promise<void> {
  if (withstood(t, exchange, what) === undefined) return;
  const handle = readAs(exchange, "execute")?.task_id;
  if (!handle || !/^[\w.:-]{1,256}$/.test(handle)) return;
  withstood(
    t,
    await t.send({ path: `/control/status/${handle}` }),
    `the status of the task begun by ${what}`,
  );
}

/** Checks that the service still answers, on a new connection; starts it again where the harness can. */
export async function requireAlive(
  t: CaseContext,
  after: string,
  at?: Exchange | readonly (Exchange | undefined)[],
): Promise<void> {
  const health = await t.send({ path: "/health", token: null, fresh: true });
  if (health.reply === undefined) await t.spawned?.restart();
  t.require(health.reply !== undefined, "E_DIED", {
    expected: `GET /health to be answered after ${after}`,
    found: health.silence?.message ?? "nothing",
    at: [at, health].flat(),
  });
}

/** Whether a reply says that there is no such method, or no such task, in any of the ways that are legal. */
export function isRefusal(exchange: Exchange): boolean {
  const { reply } = exchange;
  if (reply === undefined) return false;
  return (reply.status >= 400 && reply.status < 500) || readAs(exchange, "execute")?.status === "failed";
}

/** Ends the case unless a plain unknown method is refused: the subject of C06. */
export async function requireRefusals(t: CaseContext): Promise<void> {
  const plain = await post(t, plainRequest(t));
  if (!isRefusal(plain)) t.untestable("an unknown method is not refused: see C06");
}

/** Ends the case unless a plain unknown id is refused: the subject of C12. */
export async function requireUnknownIds(t: CaseContext): Promise<void> {
  const { reply } = await t.send({ path: `/control/status/${t.id("never-issued")}` });
  const status = reply?.status ?? 0;
  if (status < 400 || status >= 500) t.untestable("an unknown id is not refused: see C12");
}

/** What a raw conversation came to, in words. */
export function describeRaw({ replies, ended, bytes }: RawResult): string {
  if (replies.length === 0) return bytes.length > 0 ? `${ended}, ${excerpt(bytes)}` : ended;
  return replies.map(({ status, body }) => `${status} ${excerpt(body)}`).join(", then ");
}

/** The beginning of a body, to be shown. */
export function excerpt(body: Buffer): string {
  return body.toString().slice(0, 200);
}

/** JSON in which some texts stand for what JSON.stringify cannot write. */
export function withRaw(value: unknown, raw: Readonly<Record<string, string>>): string {
  let text = JSON.stringify(value);
  for (const [mark, json] of Object.entries(raw)) text = text.replaceAll(JSON.stringify(mark), json);
  return text;
}
