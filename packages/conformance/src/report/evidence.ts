import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CaseResult } from "../engine/case.ts";
import type { RunReport } from "../engine/report.ts";
import type { Exchange, WrittenPiece } from "../wire/exchange.ts";
import { oneLine } from "./printable.ts";
import { quote, toReplay } from "./replay.ts";
import { createRedactor, type Redactor, type Secret } from "./secrets.ts";
import { isTroubled } from "./words.ts";

/** What is kept of a case. */
interface CaseEvidence {
  result: CaseResult;
  /** Oldest first; those that a finding points at, and others of the case. */
  exchanges: readonly Exchange[];
}

/** So many exchanges of a case are kept beside those that findings point at. */
const mostOthers = 50;

/** What is kept of a run: for every case that is not as it should be, what was sent and what came. */
export function planEvidence(report: RunReport): CaseEvidence[] {
  return report.results.filter(isTroubled).flatMap((result) => {
    const pointed = result.findings.flatMap(({ exchanges }) => exchanges);
    const others = report.exchanges.filter(({ case_id }) => case_id === result.case.id);
    // One that is long is in the history in brief, and is the same all the same.
    const known = new Map([...others.slice(0, mostOthers), ...pointed].map((one) => [one.n, one]));
    const exchanges = [...known.values()].sort((a, b) => a.n - b.n);
    return exchanges.length === 0 ? [] : [{ result, exchanges }];
  });
}

/** The file of the plan that holds what was sent, seen from the folder of the reports. */
export function bodyFileOf(plan: readonly CaseEvidence[], exchange: Exchange): string | undefined {
  for (const { result, exchanges } of plan) {
    const at = exchanges.findIndex(({ n }) => n === exchange.n);
    if (at >= 0) return `evidence/${result.case.id}/${bodyName(at)}`;
  }
  return undefined;
}

/**
 * Writes `evidence/<case>/`: `NNN-request.txt` and `NNN-response.txt` with the bytes, and `repro.sh`,
 * which sends again what the findings point at. Secrets stand there as `$THEIR_VARIABLE`.
 */
export async function writeEvidence(
  folder: string,
  plan: readonly CaseEvidence[],
  { target }: RunReport,
  secrets: readonly Secret[],
): Promise<void> {
  const redactor = createRedactor(secrets);
  for (const { result, exchanges } of plan) {
    const own = join(folder, "evidence", result.case.id);
    await mkdir(own, { recursive: true });
    for (const [at, exchange] of exchanges.entries()) {
      await writeFile(join(own, `${numberOf(at)}-request.txt`), requestBytes(exchange, target, redactor));
      await writeFile(join(own, `${numberOf(at)}-response.txt`), responseBytes(exchange, redactor));
      const body = sentBytes(exchange);
      if (body.length > mostInline) await writeFile(join(own, bodyName(at)), redactor.bytes(body));
    }
    const script = join(own, "repro.sh");
    await writeFile(script, toScript({ result, exchanges }, target, redactor, secrets));
    await chmod(script, 0o755);
  }
}

/** Shorter bodies fit into the script. */
const mostInline = 2000;

function numberOf(at: number): string {
  return String(at + 1).padStart(3, "0");
}

function bodyName(at: number): string {
  return `${numberOf(at)}-body.bin`;
}

function sentBytes({ request, written }: Exchange): Buffer {
  if (written === undefined) return request.body;
  // The longest piece: it is the one that a line has no room for.
  const pieces = written.flatMap((piece) => bytesOf(piece) ?? []);
  return pieces.toSorted((one, other) => other.length - one.length)[0] ?? Buffer.alloc(0);
}

function bytesOf(piece: WrittenPiece): Buffer | undefined {
  if (typeof piece === "number") return undefined;
  return "times" in piece ? piece.bytes : piece;
}

function requestBytes({ request, written }: Exchange, target: string, redactor: Redactor): Buffer {
  if (written !== undefined) {
    // Of what was written many times over, once.
    return redactor.bytes(Buffer.concat(written.flatMap((piece) => bytesOf(piece) ?? [])));
  }
  const { method, path, headers, body } = request;
  const url = /^https?:\/\//i.test(path) ? new URL(path) : undefined;
  const lines = [
    `${method} ${url === undefined ? path : url.pathname + url.search} HTTP/1.1`,
    `Host: ${(url ?? new URL(target)).host}`,
    ...headers.map(([name, value]) => `${name}: ${redactor.header(name, value)}`),
  ];
  const head = redactor.bytes(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
  return Buffer.concat([head, redactor.bytes(body)]);
}

function responseBytes({ reply, silence, received }: Exchange, redactor: Redactor): Buffer {
  if (received !== undefined) return redactor.bytes(received);
  if (reply === undefined) return Buffer.from(`(no reply: ${redactor.text(silence?.message ?? "")})\n`);
  const lines = Object.entries(reply.headers).map(
    ([name, value]) => `${name}: ${redactor.header(name, value)}`,
  );
  const head = redactor.bytes(
    Buffer.from(`HTTP/1.1 ${reply.status}\r\n${lines.join("\r\n")}\r\n\r\n`, "latin1"),
  );
  return Buffer.concat([head, redactor.bytes(reply.body)]);
}

/** A script that sends again what the findings point at; ids that the service gave are read from its new answers. */
function toScript(
  { result, exchanges }: CaseEvidence,
  target: string,
  redactor: Redactor,
  secrets: readonly Secret[],
): string {
  const pointed = new Set(result.findings.flatMap((finding) => finding.exchanges));
  const handles = new Map<string, string>();
  const steps = exchanges.flatMap((exchange, at) => {
    if (!pointed.has(exchange)) return [];
    const line = toReplay(exchange, { base_url: target, redactor, handles, bodyFile: bodyName(at) });
    const { method, path } = exchange.request;
    const title = `echo; echo ${quote([oneLine(`== ${numberOf(at)} ${method} ${redactor.text(path)}`, 200)].map(binary))}`;
    const handle = handleOf(exchange);
    const later = exchanges
      .slice(at + 1)
      .some((one) => pointed.has(one) && one.request.path.endsWith(`/${handle}`));
    if (handle === undefined || !later || handles.has(handle)) return [title, line];
    const variable = `TASK_${handles.size + 1}`;
    handles.set(handle, `$${variable}`);
    return [
      title,
      `REPLY=$(${line})`,
      `printf '%s\\n' "$REPLY"`,
      `${variable}=$(printf %s "$REPLY" | sed -n 's/.*"task_id" *: *"\\([^"]*\\)".*/\\1/p' | tail -n 1)`,
    ];
  });
  const body = steps.join("\n");
  const needed = secrets.filter(
    ({ variable }) => body.includes(`$${variable}`) || body.includes(`\${${variable}`),
  );
  return [
    "#!/usr/bin/env bash",
    `# ${result.case.id} ${result.case.slug}: sends again what the findings point at.`,
    ...result.findings.map(
      ({ code, expected, found }) =>
        `# ${code}: expected ${oneLine(redactor.text(expected))}; found ${oneLine(redactor.text(found))}`,
    ),
    'cd "$(dirname "$0")" || exit',
    ...needed.map(({ variable }) => `: "\${${variable}:?has to be set}"`),
    body,
    "",
  ].join("\n");
}

const binary = (text: string) => Buffer.from(text).toString("latin1");

/** The id that an answer to execute told. */
function handleOf({ kind, reply }: Exchange): string | undefined {
  if (kind !== "execute" || reply === undefined) return undefined;
  try {
    const { task_id } = JSON.parse(reply.body.toString());
    return typeof task_id === "string" && task_id !== "" ? task_id : undefined;
  } catch {
    // An answer that is no JSON tells none.
    return undefined;
  }
}
