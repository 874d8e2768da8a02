import { isUtf8 } from "node:buffer";
import * as z from "zod";
import { codes } from "../codes/codes.ts";
import { profiles } from "../engine/case.ts";
import type { RunReport } from "../engine/report.ts";
import type { Exchange } from "../wire/exchange.ts";
import { toReplay } from "./replay.ts";
import { readRules } from "./rules.ts";
import { createRedactor, type Redactor, type Secret } from "./secrets.ts";

const caseStatuses = [
  "pass",
  "fail",
  "warn",
  "info",
  "untestable",
  "not-applicable",
  "inconclusive",
  "known-failing",
  "skipped",
] as const;

const verdict = z.enum(["CONFORMANT", "CONFORMANT EXCEPT", "NON-CONFORMANT", "NOT PROVEN"]);
const counts = z.record(z.enum(caseStatuses), z.int().min(0)).describe("How many cases came to what");

const body = z
  .object({
    bytes: z.int().min(0).describe("How long it was"),
    text: z.string().optional().describe("Where it is UTF-8"),
    base64: z.string().optional().describe("Where it is not"),
    cut: z.boolean().describe("Only its beginning is here"),
  })
  .describe("The body of a request or a reply");

const exchange = z.object({
  n: z.int().min(0).describe("Its place in the history of the run"),
  case_id: z.string(),
  sent_at_ms: z.number().describe("Since the run began"),
  ended_at_ms: z.number(),
  request: z.object({
    method: z.string(),
    path: z.string().describe("As it stood in the request line"),
    headers: z.array(z.tuple([z.string(), z.string()])),
    body,
  }),
  reply: z
    .object({ status: z.int(), headers: z.record(z.string(), z.string()), body })
    .nullable()
    .describe("Null where none came; then silence says why"),
  silence: z.object({ kind: z.string(), message: z.string() }).nullable(),
  received: body.nullable().describe("Of a conversation over a raw socket: every byte that came back"),
  replay: z.string().describe("A line for bash that sends the request again, byte for byte"),
});

const finding = z.object({
  status: z.enum(["fail", "warn", "info", "inconclusive"]),
  code: z.string().describe("As in E_STATUS_LITERAL; aieffect-conformance explain tells more"),
  means: z.string(),
  fix: z.string(),
  expected: z.string(),
  found: z.string(),
  exchanges: z.array(z.int()).describe("Those that show it, by their n"),
});

const conformanceCase = z.object({
  id: z.string().describe("Permanent, as in T04"),
  slug: z.string(),
  profile: z.enum(profiles),
  level: z.enum(["MUST", "SHOULD", "INFO"]),
  because: z.string(),
  rules: z.array(z.object({ id: z.string(), text: z.string() })).describe("Sentences of CONTRACT.md"),
  holds: z.string(),
  consequence: z.string(),
  fix: z.string(),
  stochastic: z.boolean().describe("It can only disprove: a pass is no proof"),
  timing: z.boolean().describe("Its verdict rests on measured time"),
  status: z.enum(caseStatuses),
  reason: z.string().nullable().describe("Why it did not run, or what to add so that it does"),
  checks: z.int().min(0),
  duration_ms: z.number(),
  requests: z.int().min(0),
  findings: z.array(finding),
});

/** A report, schema 1: every case of the catalogue with what became of it. Fields are only ever added to it. */
export const reportSchema = z
  .object({
    $schema: z.string().optional(),
    schema: z.literal(1),
    suite_version: z.string(),
    target: z.string(),
    server: z.string().nullable().describe("What the service says it is served by"),
    seed: z.int(),
    started_at: z.string().describe("ISO 8601"),
    duration_ms: z.number(),
    interrupted: z.boolean().describe("It was stopped before its end"),
    requests: z.int().min(0),
    verdict,
    profiles: z.array(
      z.object({
        profile: z.enum(profiles),
        verdict,
        because: z.array(z.string()).describe("The cases behind it"),
        counts,
      }),
    ),
    counts,
    stale: z
      .array(z.string())
      .describe("Known-failing entries that do not fail any more, or are out of date"),
    settings: z.record(z.string(), z.unknown()),
    runtime: z.object({ node: z.string(), platform: z.string() }),
    cases: z.array(conformanceCase),
    exchanges: z.array(exchange).describe("Those that findings point at"),
  })
  .describe("What aieffect-conformance found out about a service");

/** See {@link reportSchema}. */
export type ReportDocument = z.infer<typeof reportSchema>;
/** A case of a document. */
export type DocumentCase = ReportDocument["cases"][number];
/** A finding of a document. */
export type DocumentFinding = DocumentCase["findings"][number];
/** An exchange of a document. */
export type DocumentExchange = ReportDocument["exchanges"][number];
/** A body of a document. */
export type DocumentBody = DocumentExchange["request"]["body"];

/** What a document is made with. */
export interface DocumentOptions {
  /** What no report may show. */
  secrets: readonly Secret[];
  settings?: Readonly<Record<string, unknown>>;
  /** The file that holds the body of a request that is too long for a line, seen from where the report is read. */
  bodyFile?: (exchange: Exchange) => string | undefined;
}

/** Longer bodies are cut. */
const longestBody = 16 * 1024;

/** The run as it is written down: without secrets, and with only those exchanges that show something. */
export function toDocument(report: RunReport, options: DocumentOptions): ReportDocument {
  const redactor = createRedactor(options.secrets);
  const rules = readRules();
  const requests = new Map<string, number>();
  for (const { case_id } of report.exchanges) requests.set(case_id, (requests.get(case_id) ?? 0) + 1);
  const shown = new Map<number, Exchange>();
  const cases = report.results.map((result): DocumentCase => {
    const { case: one, status, reason, checks, findings } = result;
    return {
      id: one.id,
      slug: one.slug,
      profile: one.profile,
      level: one.level,
      because: one.because,
      rules: one.rules.map((id) => ({ id, text: rules.get(id) ?? "" })),
      holds: one.holds,
      consequence: one.consequence,
      fix: one.fix,
      stochastic: one.stochastic ?? false,
      timing: one.timing ?? false,
      status,
      reason: reason === undefined ? null : redactor.text(reason),
      checks,
      duration_ms: round(result.duration_ms),
      requests: requests.get(one.id) ?? 0,
      findings: findings.map((one): DocumentFinding => {
        for (const exchange of one.exchanges) shown.set(exchange.n, exchange);
        return {
          status: one.status,
          code: one.code,
          ...codes[one.code],
          expected: redactor.text(one.expected),
          found: redactor.text(one.found),
          exchanges: one.exchanges.map(({ n }) => n),
        };
      }),
    };
  });
  const server = report.exchanges.find(({ reply }) => reply?.headers.server !== undefined);
  return {
    schema: 1,
    suite_version: report.suite_version,
    target: redactor.text(report.target),
    server: redactor.text(server?.reply?.headers.server ?? "") || null,
    seed: report.seed,
    started_at: report.started_at,
    duration_ms: round(report.duration_ms),
    interrupted: report.interrupted,
    requests: report.exchanges.length,
    verdict: report.verdict,
    profiles: report.profiles.map((one) => ({ ...one, because: [...one.because] })),
    counts: report.counts,
    stale: [...report.stale],
    settings: { ...options.settings },
    runtime: { node: process.version, platform: process.platform },
    cases,
    exchanges: [...shown.values()]
      .sort((one, other) => one.n - other.n)
      .map((one) =>
        documentExchange(one, { base_url: report.target, redactor, bodyFile: options.bodyFile?.(one) }),
      ),
  };
}

/** An exchange without secrets. */
export function documentExchange(
  exchange: Exchange,
  options: { base_url: string; redactor: Redactor; bodyFile?: string | undefined },
): DocumentExchange {
  const { request, reply, silence, received } = exchange;
  const { redactor } = options;
  const header = (name: string, value: string) => redactor.header(name, value);
  return {
    n: exchange.n,
    case_id: exchange.case_id,
    sent_at_ms: round(exchange.sent_at),
    ended_at_ms: round(exchange.ended_at),
    request: {
      method: redactor.text(request.method),
      path: redactor.text(request.path).slice(0, longestBody),
      headers: request.headers.map(([name, value]) => [name, header(name, value).slice(0, longestBody)]),
      body: documentBody(request.body, redactor),
    },
    reply:
      reply === undefined
        ? null
        : {
            status: reply.status,
            headers: Object.fromEntries(
              Object.entries(reply.headers).map(([name, value]) => [name, header(name, value)]),
            ),
            body: documentBody(reply.body, redactor),
          },
    silence: silence === undefined ? null : { ...silence, message: redactor.text(silence.message) },
    received: received === undefined ? null : documentBody(received, redactor),
    replay: toReplay(exchange, options),
  };
}

function documentBody(bytes: Buffer, redactor: Redactor): DocumentBody {
  // Cut after the secrets are gone, or half of one could be left.
  const kept = redactor.bytes(bytes).subarray(0, longestBody);
  const cut = bytes.length > longestBody;
  // A character that the cut went through is no reason to call it binary.
  const text = cut ? kept.subarray(0, lastWhole(kept)) : kept;
  const readable = isUtf8(text) ? { text: text.toString() } : { base64: kept.toString("base64") };
  return { bytes: bytes.length, ...readable, cut };
}

function lastWhole(bytes: Buffer): number {
  let end = bytes.length;
  while (end > bytes.length - 4 && end > 0 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end--;
  return end > 0 && (bytes[end - 1] ?? 0) >= 0xc0 ? end - 1 : bytes.length;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
