import type { CaseContext } from "../engine/context.ts";
import { judge } from "../engine/drive.ts";
import type { Mode, Sample } from "../target/sample.ts";
import type { Exchange, ReceivedReply } from "../wire/exchange.ts";

/** Ends the case where a reply only says that a token is missing: what it says tells nothing else. */
export function needsToken(t: CaseContext, { status }: ReceivedReply): void {
  if (t.token === undefined && (status === 401 || status === 403)) {
    t.untestable(
      `the service answers ${status}: it asks for a token; give its key: --token env:SERVICE_API_KEY`,
    );
  }
}

/** The reply of a call whose being answered is another case's subject. */
export function replyOr(t: CaseContext, exchange: Exchange, see: string): ReceivedReply {
  if (exchange.reply !== undefined) return exchange.reply;
  return t.untestable(`${exchange.request.path}: ${exchange.silence?.message ?? "no reply"} : see ${see}`);
}

/** What the orchestrator reads out of an answer to execute; where it takes none, another case says so. */
export function executeReading(t: CaseContext, exchange: Exchange) {
  const reply = replyOr(t, exchange, "C02");
  needsToken(t, reply);
  if (reply.status >= 400) t.untestable(`execute answered ${reply.status} : see C02`);
  const verdict = judge(exchange, "execute");
  if (verdict?.read_as !== undefined) return verdict.read_as;
  const isReference = verdict?.fields?.every((field) => field.startsWith("output")) ?? false;
  return t.untestable(
    `the answer to execute is refused (${verdict?.why}) : see ${isReference ? "D01 to D03" : "C05"}`,
  );
}

/** A sample that completes of each style, the quickest: what is the same for all methods need not be tried with each. */
export function oneOfEachStyle(t: CaseContext): Sample[] {
  const modes = new Map<Mode, Sample>();
  for (const sample of t.samples()) {
    const before = modes.get(sample.mode);
    if (before === undefined || sample.at_least_ms < before.at_least_ms) modes.set(sample.mode, sample);
  }
  return [...modes.values()];
}

/** How long a task is followed that only has to be seen at work, so that one that never ends is T07's alone. */
export function patience(t: CaseContext, { at_least_ms, max_duration_ms }: Sample): number {
  return Math.min(max_duration_ms, t.scaled(at_least_ms + 10_000));
}

/** Parsed, or undefined where it is no JSON. */
export function jsonOf({ body }: ReceivedReply): unknown {
  try {
    return JSON.parse(body.toString().replace(/^\uFEFF/, ""));
  } catch {
    // Which is what the caller asks about.
    return undefined;
  }
}

/** Its members, or none where it is no JSON object. */
export function membersOf(reply: ReceivedReply): Readonly<Record<string, unknown>> {
  const value = jsonOf(reply);
  return value !== null && typeof value === "object" && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/** As in `400 {"detail":"Unknown method"}`. */
export function shown({ status, body }: ReceivedReply): string {
  return `${status} ${body.toString().slice(0, 200) || "with an empty body"}`;
}

/** It says that something was refused. */
export function isRefusal({ status }: ReceivedReply): boolean {
  return status >= 400 && status < 500;
}

/** It was answered with what was asked for; of a status below 400 the orchestrator looks at the body alone (R-READ-02). */
export function isServed({ reply }: Exchange): boolean {
  return reply !== undefined && reply.status >= 200 && reply.status < 300;
}

/** `failed` with an error that is a text and not empty. */
export function isFailedWithError(reply: ReceivedReply): boolean {
  const { status, error } = membersOf(reply);
  return reply.status < 300 && status === "failed" && typeof error === "string" && error.trim() !== "";
}
