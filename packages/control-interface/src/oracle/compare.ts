import { canonicalJson } from "../json/canonical-json.ts";
import { type PythonValue, parsePythonJson, toPlainValue } from "../reading/python-json.ts";
import { type ReplyKind, replyKinds } from "../reading/read-reply.ts";
import { judgeReply, type Verdict } from "./judge.ts";

/** One recorded verdict of the deployed orchestrator, one line of a file. */
interface Recorded {
  kind: ReplyKind;
  body: PythonValue;
  /** Absent in a reply that nobody has judged yet. */
  accepted?: boolean;
  read_as?: unknown;
  fields?: unknown;
}

/** A line of a file, judged. */
export interface Compared {
  recorded: Omit<Recorded, "body">;
  verdict: Verdict;
  body: unknown;
  /** Whether the record says the same; undefined where it says nothing. */
  agrees: boolean | undefined;
}

/** Judges one line, and compares where it records a verdict. @throws SyntaxError for a line of another form */
export function compareRecorded(line: string): Compared {
  const { kind, body, accepted, read_as, fields } = parseRecorded(line);
  const verdict = judgeReply({ kind, body: { parsed: body } });
  const recorded: Compared["recorded"] = { kind };
  if (accepted !== undefined) recorded.accepted = accepted;
  if (read_as !== undefined) recorded.read_as = read_as;
  if (fields !== undefined) recorded.fields = fields;
  const agrees =
    accepted === undefined
      ? undefined
      : verdict.accepted === accepted &&
        canonicalJson(verdict.read_as) === canonicalJson(read_as) &&
        canonicalJson(verdict.fields) === canonicalJson(fields);
  return { recorded, verdict, body: toPlainValue(body), agrees };
}

function parseRecorded(line: string): Recorded {
  const row = parsePythonJson(line) as { [key: string]: PythonValue };
  const fits =
    row !== null &&
    typeof row === "object" &&
    replyKinds.includes(row.kind as ReplyKind) &&
    "body" in row &&
    (row.accepted === undefined || typeof row.accepted === "boolean");
  if (!fits) {
    throw new SyntaxError(
      `Expected an object with kind (${replyKinds.join(", ")}), body and, where it is known, accepted; found ${line.slice(0, 80)}`,
    );
  }
  const recorded: Recorded = {
    kind: row.kind as ReplyKind,
    body: row.body as PythonValue,
  };
  if (row.accepted !== undefined) recorded.accepted = row.accepted as boolean;
  if (row.read_as !== undefined) recorded.read_as = toPlainValue(row.read_as);
  if (row.fields !== undefined) recorded.fields = toPlainValue(row.fields);
  return recorded;
}
