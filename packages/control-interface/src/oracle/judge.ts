import { type Problem, show } from "../reading/problem.ts";
import { fromPlainValue, type PythonValue, parsePythonJson } from "../reading/python-json.ts";
import {
  type ExecuteReading,
  type ReplyKind,
  type ReplyReadings,
  readReply,
  type StatusReading,
} from "../reading/read-reply.ts";

/** What becomes of the task in the deployed orchestrator after this one answer. */
export type Outcome =
  /** The task is completed with an output. For status: the output is fetched next. */
  | "completes"
  /** The task is completed, and its successors get no input from it (R-READ-08). */
  | "completes empty"
  /** The orchestrator goes on polling. */
  | "polls"
  /** The task, and with it the workflow, is failed. */
  | "fails"
  /** Nothing ever happens again: neither failed nor completed (R-READ-09). */
  | "hangs";

/** An answer of a service to one of the orchestrator's three calls. */
export interface Reply {
  kind: ReplyKind;
  /** The HTTP status. @default 200 */
  status?: number;
  /** The body as it came: bytes, text, or a value that was already parsed. */
  body: Uint8Array | string | { parsed: PythonValue } | { plain: unknown };
}

/** What the deployed orchestrator does with an answer, and why. */
export interface Verdict<K extends ReplyKind = ReplyKind> {
  accepted: boolean;
  /** What it understood; only when accepted. */
  read_as?: ReplyReadings[K];
  /** Where it objects, sorted, spelled as its validator spells it; only when not accepted. */
  fields?: string[];
  outcome: Outcome;
  /** Why, in sentences a person understands. */
  why: string;
  /** The rules of CONTRACT.md behind it. */
  rules: string[];
}

/** The oracle: what would the deployed orchestrator do with this answer, and why. */
export function judgeReply<K extends ReplyKind>(reply: Reply & { kind: K }): Verdict<K> {
  const status = reply.status ?? 200;
  if (status >= 400) {
    return refused([
      { field: "", rule: "R-READ-01", message: `Expected an HTTP status below 400, found ${status}` },
    ]);
  }
  let body: PythonValue;
  try {
    body = bodyOf(reply.body);
  } catch (error) {
    const message = `Expected a JSON body. ${(error as Error).message}`;
    return refused([{ field: "", rule: "R-READ-03", message }]);
  }
  const reading = readReply(reply.kind, body);
  if (!reading.accepted) return refused(reading.problems);
  return { accepted: true, read_as: reading.read_as, ...consequence(reply.kind, reading.read_as) };
}

function bodyOf(body: Reply["body"]): PythonValue {
  if (typeof body === "string" || body instanceof Uint8Array) return parsePythonJson(body);
  return "parsed" in body ? body.parsed : fromPlainValue(body.plain);
}

function refused<K extends ReplyKind>(problems: Problem[]): Verdict<K> {
  return {
    accepted: false,
    fields: [...new Set(problems.map(({ field }) => field))].sort(),
    outcome: "fails",
    why: [...new Set(problems.map(({ message }) => message))].join("; "),
    rules: [...new Set(problems.map(({ rule }) => rule))],
  };
}

type Consequence = Pick<Verdict, "outcome" | "why" | "rules">;

function consequence(kind: ReplyKind, reading: ReplyReadings[ReplyKind]): Consequence {
  if (kind === "output") {
    return { outcome: "completes", why: "The task completes with this output", rules: ["R-OUT-01"] };
  }
  const { status } = reading as ExecuteReading | StatusReading;
  if (status === "failed") return failed(reading as StatusReading);
  return kind === "execute" ? afterExecute(reading as ExecuteReading) : afterStatus(status);
}

function failed({ error }: { error?: string }): Consequence {
  if (error) return { outcome: "fails", why: `The task fails with: ${error}`, rules: ["R-EXEC-10"] };
  return {
    outcome: "fails",
    why: "The task fails with a generic text: there is no error",
    rules: ["R-EXEC-10"],
  };
}

function afterStatus(status: string): Consequence {
  if (status === "running")
    return { outcome: "polls", why: "The next poll follows in 5 s", rules: ["R-READ-11"] };
  return { outcome: "completes", why: "The output is fetched next", rules: ["R-OUT-04"] };
}

function afterExecute(reading: ExecuteReading): Consequence {
  if (reading.status === "complete") {
    if (reading.output !== undefined) {
      return { outcome: "completes", why: "The task completes with this output", rules: ["R-EXEC-05"] };
    }
    return {
      outcome: "completes empty",
      why: "The task completes without an output; its successors get nothing from it",
      rules: ["R-READ-08"],
    };
  }
  if (!reading.task_id) {
    return {
      outcome: "hangs",
      why: `Expected running to carry the task_id to poll with, found ${show(reading.task_id)}; the task stays running for ever`,
      rules: ["R-READ-09", "R-EXEC-09"],
    };
  }
  if (!isHandle(reading.task_id)) {
    return {
      outcome: "polls",
      why: `The handle ${show(reading.task_id)} is pasted into the path as it is, so that the polls may go elsewhere`,
      rules: ["R-EXEC-08"],
    };
  }
  return { outcome: "polls", why: `Status is polled under ${reading.task_id}`, rules: ["R-EXEC-07"] };
}

/** Whether an id survives being pasted into a path (R-EXEC-08). */
export function isHandle(id: string): boolean {
  return /^[A-Za-z0-9_.:-]{1,256}$/.test(id) && id !== "." && id !== "..";
}
