#!/usr/bin/env node
import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { compareRecorded } from "./compare.ts";

const usage = `Usage: oracle FILE.jsonl

What would the deployed orchestrator do with a reply? One reply a line, each one JSON object:
  {"kind": "execute"|"status"|"output", "body": ...}
is judged, and the outcome is printed: completes, completes empty, polls, fails or hangs, and why.
A line that also records what the deployed orchestrator did is compared with it:
  {"kind": ..., "body": ..., "accepted": true, "read_as": {...}}
  {"kind": ..., "body": ..., "accepted": false, "fields": ["output.uri"]}

Prints each judgement or disagreement and a last line "N replies, M disagreements".
Exit code: 0 no disagreement, 1 some, 2 usage or a file that cannot be read.
`;

const [file, ...rest] = process.argv.slice(2);
if (file === "--help" || file === "-h") {
  process.stdout.write(usage);
} else if (file === undefined || rest.length > 0) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  process.exitCode = await compareFile(resolve(process.env.INIT_CWD ?? ".", file));
}

async function compareFile(path: string): Promise<number> {
  let replies = 0;
  let disagreements = 0;
  let lineNumber = 0;
  try {
    for await (const line of linesOf(path)) {
      lineNumber++;
      if (line.trim() === "") continue;
      const { recorded, verdict, body, agrees } = compareRecorded(line);
      replies++;
      if (agrees) continue;
      console.log(`line ${lineNumber}: ${recorded.kind} ${JSON.stringify(body)}`);
      if (agrees === undefined) {
        console.log(`  ${verdict.outcome}: ${verdict.why} (${verdict.rules.join(", ")})`);
        continue;
      }
      disagreements++;
      console.log(`  recorded: ${JSON.stringify(recorded)}`);
      console.log(`  oracle:   ${JSON.stringify(verdict)}`);
    }
  } catch (error) {
    const where = lineNumber > 0 ? `${path}:${lineNumber}: expected one JSON object a line. ` : `${path}: `;
    console.error(`oracle: ${where}${(error as Error).message}`);
    return 2;
  }
  console.log(`${replies} replies, ${disagreements} disagreements`);
  return disagreements > 0 ? 1 : 0;
}

/** Lines end in a line feed only: U+2028 and a lone carriage return may stand inside a JSON text. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of createReadStream(path, { encoding: "utf8" })) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() as string;
    yield* lines;
  }
  if (rest !== "") yield rest;
}
