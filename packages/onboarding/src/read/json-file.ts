import { readFile } from "node:fs/promises";
import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import type * as z from "zod";
import type { Problem } from "../problems/problem.ts";

/** A JSON document with the lines of what it says. */
export interface JsonDocument {
  value: unknown;
  /** The line of a member, or of its nearest parent that is there. */
  lineOf(path: readonly (string | number)[]): number;
}

/** No document of a use case is larger. */
const largest_bytes = 64 * 2 ** 20;

/** Reads a JSON file. @returns the document, or undefined with what is wrong in `problems` */
export async function readJsonFile(
  path: string,
  file: string,
  problems: Problem[],
): Promise<JsonDocument | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    problems.push({
      code: "unreadable",
      severity: "error",
      file,
      line: undefined,
      message: `Expected a file that can be read, found ${code === "ENOENT" ? "none" : code}`,
      fix:
        code === "ENOENT"
          ? "Write it, or give the folder that has it"
          : "Correct the permissions of the file",
    });
    return undefined;
  }
  return parseJson(text, file, problems);
}

/** Parses JSON, as strictly as JSON.parse. */
export function parseJson(text: string, file: string, problems: Problem[]): JsonDocument | undefined {
  const errors: ParseError[] = [];
  const plain = text.replace(/^\uFEFF/, "");
  const tree = plain.length > largest_bytes ? undefined : parseNested(plain, errors);
  const lineAt = lineCounter(plain);
  const [first] = errors;
  if (tree === undefined || first !== undefined) {
    const found =
      first !== undefined
        ? sentence(printParseErrorCode(first.error))
        : plain.length > largest_bytes
          ? `${plain.length} characters, more than any document has`
          : "values in values, deeper than any document has them";
    problems.push({
      code: "syntax",
      severity: "error",
      file,
      line: lineAt(first?.offset ?? 0),
      message: `Expected JSON, found ${isUtf16(plain) ? "text in UTF-16" : found}`,
      fix: isUtf16(plain) ? "Save the file as UTF-8" : "Correct the line, or the end of the one before it",
    });
    return undefined;
  }
  problems.push(...repeatedMembers(tree, file, lineAt));
  return {
    value: JSON.parse(plain),
    lineOf(path) {
      for (let length = path.length; length > 0; length--) {
        const node = findNodeAtLocation(tree, path.slice(0, length));
        if (node !== undefined) return lineAt(startOf(node));
      }
      return lineAt(tree.offset);
    },
  };
}

/** What redirecting output gives in some shells of Windows, read as UTF-8. */
function isUtf16(text: string): boolean {
  return /^\uFFFD\uFFFD/.test(text) && text.includes("\u0000");
}

/** Of two members of one name a parser takes the last, and what the first one says is lost without a word. */
function repeatedMembers(tree: Node, file: string, lineAt: (offset: number) => number): Problem[] {
  const problems: Problem[] = [];
  const nodes = [tree];
  for (const node of nodes) {
    const lines = new Map<string, number>();
    for (const child of node.children ?? []) {
      nodes.push(child);
      if (node.type !== "object") continue;
      const name = String(child.children?.[0]?.value);
      const line = lines.get(name);
      if (line === undefined) {
        lines.set(name, lineAt(child.offset));
        continue;
      }
      problems.push({
        code: "syntax",
        severity: "error",
        file,
        line: lineAt(child.offset),
        message: `Expected each member of an object once, found "${name}" again, which is in line ${line} already`,
        fix: "Put what both say into one, or take one of them out",
      });
    }
  }
  return problems;
}

/** The tree of a document; undefined for one that is nested too deeply to be walked. */
function parseNested(text: string, errors: ParseError[]): Node | undefined {
  try {
    return parseTree(text, errors, { disallowComments: true });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Objections of a schema, each with its line. */
export function toProblems(error: z.ZodError, document: JsonDocument, file: string, fix: string): Problem[] {
  return error.issues.map((issue) => {
    const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
    return {
      code: "field",
      severity: "error",
      file,
      line: document.lineOf(path),
      message: `${path.join(".") || "the document"}: ${issue.message}`,
      fix,
    };
  });
}

/** A member begins where its name stands. */
function startOf(node: Node): number {
  return node.parent?.type === "property" ? node.parent.offset : node.offset;
}

function lineCounter(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}

/** "CommaExpected" as "comma expected". */
function sentence(code: string): string {
  return code.replace(/(?!^)[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).toLowerCase();
}
