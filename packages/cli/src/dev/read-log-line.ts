import type { TaskNews } from "./task-board.ts";

/** What a line of a service's output says. */
export type LogLine =
  /** A task began or ended (R-LOG-01). */
  | { kind: "task"; news: TaskNews }
  | { kind: "note"; level: "info" | "warn" | "error"; text: string }
  /** Not worth a line. */
  | { kind: "nothing" };

/** Reads a line of JSON as services log them, or of any text. */
export function readLogLine(line: string): LogLine {
  const fields = parseObject(line);
  if (fields === undefined) {
    return line.trim() === "" ? { kind: "nothing" } : { kind: "note", level: "info", text: line };
  }
  const news = toNews(fields);
  if (news !== undefined) return { kind: "task", news };
  const level = levelOf(fields.level ?? fields.levelname ?? fields.severity);
  if (level === undefined) return { kind: "nothing" };
  const said = textOf(fields.msg) ?? textOf(fields.message) ?? textOf(fields.event) ?? line;
  const { stack, message } = (fields.err ?? {}) as { stack?: unknown; message?: unknown };
  const why = textOf(stack) ?? textOf(message) ?? textOf(fields.error);
  return { kind: "note", level, text: why === undefined ? said : `${said}: ${why}` };
}

function toNews(fields: Record<string, unknown>): TaskNews | undefined {
  const { workflow_id, task_id, status, duration_ms } = fields;
  if (typeof workflow_id !== "string" || typeof task_id !== "string") return undefined;
  if (status !== "running" && status !== "complete" && status !== "failed") return undefined;
  return {
    workflow_id,
    task_id,
    status,
    method: textOf(fields.method),
    handle: textOf(fields.handle),
    error: status === "failed" ? (textOf(fields.error) ?? "it did not say why") : undefined,
    duration_ms: typeof duration_ms === "number" && status !== "running" ? duration_ms : undefined,
  };
}

/** Levels as numbers of pino, or as words of others; undefined for what only debugging wants. */
function levelOf(level: unknown): "info" | "warn" | "error" | undefined {
  if (typeof level === "number") {
    if (level < 30) return undefined;
    return level < 40 ? "info" : level < 50 ? "warn" : "error";
  }
  const word = typeof level === "string" ? level.toLowerCase() : "info";
  if (word === "debug" || word === "trace") return undefined;
  if (word.startsWith("warn")) return "warn";
  return /^(error|fatal|critical)$/.test(word) ? "error" : "info";
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    // No JSON after all: a line as any other.
    return undefined;
  }
}
