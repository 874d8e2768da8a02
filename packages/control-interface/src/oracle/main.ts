#!/usr/bin/env node
import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { compareRecorded } from "./compare.ts";

const usage = `Usage: oracle FILE.jsonl

Judges recorded replies and compares: would the deployed orchestrator accept them, what does it
read, where does it object. One JSON object a line:
  {"kind": "execute"|"status"|"output", "body": ..., "accepted": true, "read_as": {...}}
  {"kind": "execute"|"status"|"output", "body": ..., "accepted": false, "fields": ["output.uri"]}

Prints each disagreement and a last line "N replies, M disagreements".
Exit code: 0 all agree, 1 some disagree, 2 usage or a file that cannot be read.
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
      const disagreement = compareRecorded(line);
      replies++;
      if (disagreement === undefined) continue;
      disagreements++;
      const { recorded, verdict, body } = disagreement;
      console.log(`line ${lineNumber}: ${recorded.kind} ${JSON.stringify(body)}`);
      console.log(`  recorded: ${JSON.stringify(recorded)}`);
      console.log(`  oracle:   ${JSON.stringify(verdict)}`);
    }
  } catch (error) {
    console.error(`oracle: ${path}${lineNumber > 0 ? `:${lineNumber}` : ""}: ${(error as Error).message}`);
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
