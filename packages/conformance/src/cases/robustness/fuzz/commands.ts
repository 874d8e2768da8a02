import type { AsyncCommand } from "fast-check";
import type { CaseContext } from "../../../engine/context.ts";
import { readAs } from "../../../engine/drive.ts";
import type { Sample } from "../../../target/sample.ts";
import type { Exchange } from "../../../wire/exchange.ts";
import { excerpt, isBusy } from "../probe.ts";
import { Disproof, type FastCheck } from "./disprove.ts";
import type { Ledger } from "./ledger.ts";

/** A sample, and what its output is when it runs alone; undefined where outputs cannot be compared. */
export interface Expected {
  sample: Sample;
  fingerprint: string | undefined;
}

/** A handle that was told, and for what. */
interface Told {
  handle: string;
  execute: Exchange;
  expected: Expected;
}

/** What a sequence knows before it runs: how many of its pairs were sent, so that commands know whether they make sense. */
interface Sent {
  pairs: Set<number>;
}

/** The service, as one sequence of commands sees it. */
export interface Session {
  t: CaseContext;
  ledger: Ledger;
  expected: readonly Expected[];
  /** Unlike that of any other sequence. */
  name: string;
  told: Told[];
  /** Every call of the sequence. */
  calls: Exchange[];
}

type Command = AsyncCommand<Sent, Session>;

/** Distinct (workflow_id, task_id) of one sequence; they share two workflows, as tasks of pipelines do. */
const pairs = 6;

/** All sequences of commands on the control interface. */
export function commandSequences(fc: FastCheck, replayPath?: string) {
  const known = (run: Command["run"], name: string): Command => ({
    check: ({ pairs }) => pairs.size > 0,
    run,
    toString: () => name,
  });
  const any = fc.nat(50);
  const arbitraries = [
    fc.nat(pairs - 1).map(execute),
    fc.nat(pairs - 1).map(execute),
    fc.nat(1).map(execute),
    any.map((at) => known((_sent, session) => status(session, at), `status(${at})`)),
    any.map((at) => known((_sent, session) => burst(session, at), `burst(${at})`)),
    any.map((at) => known((_sent, session) => peek(session, at), `peek(${at})`)),
    any.map((at) => known((_sent, session) => settle(session, at), `settle(${at})`)),
  ];
  const path = replayPath === undefined ? {} : { replayPath };
  return fc.commands<Sent, Session, false>(arbitraries, { maxCommands: 40, size: "max", ...path });
}

/** Sends a pair, for the first time or again. */
function execute(pair: number): Command {
  return {
    check: () => true,
    toString: () => `execute(${pair})`,
    async run(sent, session) {
      const { t, ledger, expected, name, told } = session;
      const one = expected[pair % expected.length] as Expected;
      const workflow_id = `${name}-w${pair % 2}`;
      const task_id = `${name}-t${pair}`;
      const exchange = noted(session, await t.execute(one.sample, { workflow_id, task_id }));
      const { reply } = exchange;
      const isAgain = sent.pairs.has(pair);
      sent.pairs.add(pair);
      const reading = readAs(exchange, "execute");
      if (reading?.status === "running" && reading.task_id) {
        told.push({ handle: reading.task_id, execute: exchange, expected: one });
        refuse(session, "E_HANDLE_REUSED", ledger.issued(reading.task_id, `${workflow_id}/${task_id}`));
        return;
      }
      if (reading !== undefined || (reply !== undefined && isBusy(reply))) return;
      const isRefused = reply !== undefined && reply.status >= 400 && reply.status < 500;
      // To refuse a pair that was sent before is legal.
      if (isAgain && isRefused) return;
      const code =
        reply === undefined ? "E_NO_REPLY" : reply.status >= 500 ? "E_SERVER_ERROR" : "E_CONTRADICTION";
      refuse(session, code, `execute, which was taken before, was answered ${describe(exchange)}`);
    },
  };
}

/** One status. */
async function status(session: Session, at: number): Promise<void> {
  const told = pick(session, at);
  if (told !== undefined) await ask(session, told);
}

/** Four at once, over connections of their own. */
async function burst(session: Session, at: number): Promise<void> {
  const told = pick(session, at);
  if (told !== undefined) await Promise.all([1, 2, 3, 4].map(() => ask(session, told, true)));
}

/** Status, and output where it says complete. */
async function peek(session: Session, at: number): Promise<void> {
  const told = pick(session, at);
  if (told === undefined || (await ask(session, told)) !== "complete") return;
  const output = noted(session, await session.t.output(told.handle));
  if (readAs(output, "output")?.output === undefined) {
    refuse(
      session,
      "E_CONTRADICTION",
      `the output of ${told.handle}, which is complete: ${describe(output)}`,
    );
  }
}

/** Follows one to its end, and compares what it made. */
async function settle(session: Session, at: number): Promise<void> {
  const { t, calls } = session;
  const told = pick(session, at);
  if (told === undefined) return;
  const { expected, execute, handle } = told;
  const onPoll = (poll: Exchange) => void note(session, told, noted(session, poll));
  const run = await t.follow(expected.sample, execute, { onPoll });
  if (run.output_call) calls.push(run.output_call);
  if (run.end === "stuck") refuse(session, "E_STUCK", `${handle} does not end`);
  if (run.end === "broken") refuse(session, "E_CONTRADICTION", `${handle}: ${describe(run.last)}`);
  if (expected.fingerprint === undefined || run.end !== "complete") return;
  const { fingerprint, problem } = await t.outputOf(run);
  if (fingerprint === expected.fingerprint) return;
  refuse(
    session,
    "E_WRONG_OUTPUT",
    `the output of ${handle}: ${problem ?? "not the one that its request has alone"}`,
  );
}

async function ask(session: Session, told: Told, fresh = false): Promise<string | undefined> {
  const poll = noted(session, await session.t.status(told.handle, { fresh }));
  return note(session, told, poll);
}

/** Holds a status against the model. */
function note(session: Session, { handle, expected }: Told, poll: Exchange): string | undefined {
  const { reply, sent_at, ended_at } = poll;
  if (reply !== undefined && isBusy(reply)) return undefined;
  const now = readAs(poll, "status")?.status;
  if (now === undefined) {
    refuse(session, "E_CONTRADICTION", `the status of ${handle}, which was told: ${describe(poll)}`);
    return undefined;
  }
  refuse(session, "E_CONTRADICTION", session.ledger.saw(handle, { status: now, sent_at, ended_at }));
  if (now !== "running" && now !== expected.sample.expect) {
    const { method, name, expect } = expected.sample;
    refuse(
      session,
      "E_CONTRADICTION",
      `${handle} is ${now}; sample "${name}" of ${method} ends ${expect} alone`,
    );
  }
  return now;
}

function pick({ told }: Session, at: number): Told | undefined {
  return told[at % told.length];
}

function noted(session: Session, exchange: Exchange): Exchange {
  session.calls.push(exchange);
  return exchange;
}

function describe({ reply, silence }: Exchange): string {
  return reply === undefined ? (silence?.message ?? "nothing") : `${reply.status} ${excerpt(reply.body)}`;
}

/** Ends the sequence, where there is a contradiction. */
function refuse({ calls }: Session, code: Disproof["code"], contradiction: string | undefined): void {
  if (contradiction === undefined) return;
  throw new Disproof(code, {
    expected: "answers that one history of every task explains",
    found: contradiction,
    at: [...calls],
  });
}
