import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

let known: ReadonlyMap<string, string> | undefined;

/** The sentences of CONTRACT.md by their number, as in `R-EXEC-09`. */
export function readRules(): ReadonlyMap<string, string> {
  known ??= parseRules(readContract());
  return known;
}

function readContract(): string {
  const entry = createRequire(import.meta.url).resolve("@aieffect/control-interface");
  return readFileSync(join(entry, "../../CONTRACT.md"), "utf8");
}

function parseRules(contract: string): Map<string, string> {
  const sentences = contract.matchAll(/^- \*\*(R-[A-Z]+-\d+)\*\* (.+)$/gm);
  return new Map([...sentences].map(([, id = "", text = ""]) => [id, text]));
}
