import { judgeReply } from "@aieffect/control-interface";
import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { longestOf } from "../concurrent/observe.ts";
import { type EventStream, readStream, type StreamEvent } from "./event-stream.ts";
import { start } from "./wait.ts";

export const events = defineCase({
  id: "X04",
  slug: "ext/events",
  profile: "extensions",
  level: "MUST",
  because: "data",
  rules: ["R-EVT-01", "R-EVT-02", "R-EVT-03", "R-EVT-04"],
  needs: ["slow"],
  extension: "events",
  holds:
    "`Accept: text/event-stream` on status answers with one event per change, numbered without a gap, the last one telling the end; Last-Event-ID goes on where it was cut",
  consequence: "Whoever follows the stream misses the end of a task, or counts one change twice.",
  fix: "Keep the changes of a task with their numbers; send those after Last-Event-ID, then each new one, and close after `complete` or `failed`.",
  timing: true,
  turn: "late",
  async run(t) {
    const sample = t.slow();
    const { handle, execute } = await start(t, sample);
    const timeout_ms = longestOf(t, sample);
    const [whole, cut] = await Promise.all([
      readStream(t, handle, { timeout_ms }),
      readCut(t, handle, timeout_ms),
    ]);
    const ids = isWhole(t, whole, execute);
    // Cut in the middle of the task, and resumed while it ran.
    const last = cut.before.events.at(-1);
    if (cut.after !== undefined && last?.id !== undefined) {
      goesOn(t, cut.after, Number(last.id), ids, [cut.before.exchange, cut.after.exchange]);
    }
    // Resumed when all was over.
    const middle = ids[Math.floor((ids.length - 1) / 2)];
    if (middle !== undefined) {
      const again = await readStream(t, handle, { last_id: String(middle), timeout_ms });
      goesOn(t, again, middle, ids, [whole.exchange, again.exchange]);
    }
    await heartbeats(t);
  },
});

async function readCut(t: CaseContext, handle: string, timeout_ms: number) {
  const before = await readStream(t, handle, { timeout_ms: t.scaled(1000) });
  const last_id = before.events.at(-1)?.id;
  const after = last_id === undefined ? undefined : await readStream(t, handle, { last_id, timeout_ms });
  return { before, after };
}

/** @returns the ids, in order */
function isWhole(t: CaseContext, stream: EventStream, execute: Exchange): number[] {
  const { status, content_type, events, ended, exchange } = stream;
  const at = [execute, exchange];
  t.require(status === 200 && /^text\/event-stream\b/i.test(content_type), "E_EVENT_STREAM", {
    expected: "200 with Content-Type: text/event-stream",
    found: status === 0 ? "no whole reply" : `${status}, ${content_type}`,
    at,
  });
  const ids = events.map((event) => idOf(t, event, at));
  inOrder(t, ids, at);
  const isEnd = (event: StreamEvent | undefined) => event !== undefined && wordIn(event) !== "running";
  t.require(isEnd(events.at(-1)) && ended, "E_EVENT_END", {
    expected: "an event with complete or failed, then the end of the stream",
    found: `${events.at(-1)?.data ?? "no event"}, then ${ended ? "the end" : "nothing"}`,
    at,
  });
  t.require(!events.slice(0, -1).some(isEnd), "E_EVENT_REPEATED", {
    expected: "one event that tells the end, as the last one",
    found: "several",
    at,
  });
  return ids;
}

/** A resumed stream begins right after `last` and has every event from there on. */
function goesOn(t: CaseContext, resumed: EventStream, last: number, all: readonly number[], at: Exchange[]) {
  const expected = all.filter((id) => id > last);
  // Nothing is left to tell: an empty answer, or 204, is right.
  if (expected.length === 0) return;
  const ids = resumed.events.map((event) => idOf(t, event, at));
  const repeated = ids.filter((id) => id <= last);
  t.require(repeated.length === 0, "E_EVENT_REPEATED", {
    expected: `events after ${last}`,
    found: `event ${repeated[0]} again`,
    at,
  });
  inOrder(t, ids, at);
  const missing = expected.filter((id) => !ids.includes(id));
  t.require(missing.length === 0, "E_EVENT_GAP", {
    expected: `events ${expected[0]} to ${expected.at(-1)} after Last-Event-ID: ${last}`,
    found: `no event ${missing.join(", ")}`,
    at,
  });
}

function inOrder(t: CaseContext, ids: readonly number[], at: Exchange[]): void {
  for (const [n, id] of ids.entries()) {
    const before = ids[n - 1];
    if (before === undefined) continue;
    t.require(id > before, "E_EVENT_REPEATED", {
      expected: `an id above ${before}`,
      found: `${id}`,
      at,
    });
    t.require(id === before + 1, "E_EVENT_GAP", {
      expected: `event ${before + 1}`,
      found: `event ${id}`,
      at,
    });
  }
}

function idOf(t: CaseContext, { id, name, data }: StreamEvent, at: Exchange[]): number {
  const isForm = (holds: boolean, expected: string, found: string) =>
    t.require(holds, "E_EVENT_STREAM", { expected, found, at });
  isForm(name === "status", "events named status", name);
  isForm(id !== undefined && /^\d{1,15}$/.test(id), "an id that counts the changes", id ?? "none");
  const verdict = judgeReply({ kind: "status", body: data });
  isForm(verdict.accepted, "data that is a status body", verdict.why);
  return Number(id);
}

function wordIn({ data }: StreamEvent): string | undefined {
  return judgeReply({ kind: "status", body: data }).read_as?.status;
}

/** Only a task that does not change for longer shows them. */
async function heartbeats(t: CaseContext): Promise<void> {
  const sample = t.lasting();
  if (sample === undefined) {
    t.note("heartbeats are tested with a sample that has expect-at-least: 40s");
    return;
  }
  const { handle } = await start(t, sample);
  // A comment to begin with is none: only what comes later counts.
  const [short, long] = await Promise.all(
    [5000, 22_000].map((ms) => readStream(t, handle, { timeout_ms: t.scaled(ms) })),
  );
  if (t.operations?.extensions.includes("cancel")) {
    await t.send({ method: "POST", path: `/control/cancel/${handle}` });
  }
  if (short === undefined || long === undefined) return;
  const isAlive = long.comments > short.comments || long.events.length > short.events.length;
  t.check(isAlive, "E_EVENT_SILENCE", {
    level: "SHOULD",
    expected: "a comment line every 15 s while nothing changes",
    found: "none within 22 s",
    at: long.exchange,
  });
}
