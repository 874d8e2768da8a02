import type { CaseContext } from "../../engine/context.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { requestHead } from "../../wire/raw.ts";

/** One event of a stream. */
export interface StreamEvent {
  id: string | undefined;
  /** The name; "message" where none was sent. */
  name: string;
  data: string;
}

/** What came over a stream. */
export interface EventStream {
  status: number;
  content_type: string;
  events: StreamEvent[];
  /** How many comment lines. */
  comments: number;
  /** The service ended it; false where the harness gave up. */
  ended: boolean;
  exchange: Exchange;
}

/** Reads a task's event stream to its end, or for so long. */
export async function readStream(
  t: CaseContext,
  handle: string,
  { last_id, timeout_ms }: { last_id?: string | undefined; timeout_ms: number },
): Promise<EventStream> {
  const headers = ["Accept: text/event-stream", "Cache-Control: no-store"];
  if (last_id !== undefined) headers.push(`Last-Event-ID: ${last_id}`);
  const head = requestHead(t.base_url, "GET", `/control/status/${handle}`, headers, t.token);
  const { bytes, replies, ended, exchange } = await t.raw({ write: [head], replies: 1, timeout_ms });
  const whole = replies[0];
  const partial = whole ?? readPartial(bytes);
  return {
    status: partial.status,
    content_type: partial.headers["content-type"] ?? "none",
    ...parseEvents(partial.body.toString()),
    ended: ended !== "timeout",
    exchange,
  };
}

/** So much of a reply as came before the harness gave up. */
function readPartial(bytes: Buffer): { status: number; headers: Record<string, string>; body: Buffer } {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return { status: 0, headers: {}, body: Buffer.alloc(0) };
  const [line = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const headers = Object.fromEntries(
    lines.map((one) => {
      const colon = one.indexOf(":");
      return [one.slice(0, colon).trim().toLowerCase(), one.slice(colon + 1).trim()];
    }),
  );
  const rest = bytes.subarray(end + 4);
  const isChunked = /chunked/i.test(headers["transfer-encoding"] ?? "");
  return { status: Number(line.split(" ")[1]), headers, body: isChunked ? unchunk(rest) : rest };
}

function unchunk(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let rest = bytes;
  for (;;) {
    const line = rest.indexOf("\r\n");
    const size = line < 0 ? 0 : Number.parseInt(rest.subarray(0, line).toString("latin1"), 16);
    if (!(size > 0)) return Buffer.concat(pieces);
    pieces.push(rest.subarray(line + 2, line + 2 + size));
    rest = rest.subarray(line + 2 + size + 2);
  }
}

/** Events as the HTML standard has a client read them; an unfinished last one is none. */
export function parseEvents(text: string): { events: StreamEvent[]; comments: number } {
  const events: StreamEvent[] = [];
  let comments = 0;
  let id: string | undefined;
  let name = "";
  let data: string[] = [];
  // What follows the last line break is no whole line.
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
  for (const line of lines.slice(0, -1)) {
    if (line === "") {
      if (data.length > 0) events.push({ id, name: name || "message", data: data.join("\n") });
      name = "";
      data = [];
      continue;
    }
    const [, field = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "") comments++;
    else if (field === "event") name = value;
    else if (field === "data") data.push(value);
    else if (field === "id" && !value.includes("\0")) id = value;
  }
  return { events, comments };
}
