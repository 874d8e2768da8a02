import { isUtf8 } from "node:buffer";
import { gzipSync } from "node:zlib";
import type { Exchange } from "../wire/exchange.ts";
import type { Piece, Redactor } from "./secrets.ts";

/** How a replay is written. */
export interface ReplayOptions {
  /** Of the service. */
  base_url: string;
  redactor: Redactor;
  /** A file that holds the body of a request (of a raw one: all of it) that is too long for a line. */
  bodyFile?: string | undefined;
  /** Put into the paths of requests in place of ids that a service gave, as in `$TASK_1`. */
  handles?: ReadonlyMap<string, string>;
}

/** A longer body is packed, or taken from a file. */
const longestLine = 2000;
/** A body that is still longer when it is packed is taken from a file. */
const longestPacked = 8000;

/** A line for bash that sends the request again, byte for byte: curl, or nc where the harness spoke over a socket. */
export function toReplay(exchange: Exchange, options: ReplayOptions): string {
  try {
    return exchange.written === undefined ? toCurl(exchange, options) : toNetcat(exchange.written, options);
  } catch (error) {
    if (!(error instanceof TooLong)) throw error;
    return `# ${error.message}`;
  }
}

class TooLong extends Error {
  constructor(length: number) {
    super(
      `${length} bytes were sent, too many for a line; --out DIR keeps them, with a script that sends them`,
    );
  }
}

function toCurl({ request }: Exchange, options: ReplayOptions): string {
  const { redactor } = options;
  const { method, path, headers, body } = request;
  const base = new URL(options.base_url);
  const isForeign = /^https?:\/\//i.test(path);
  const url = isForeign ? path : base.origin + path;
  const args = ["curl", "-sS", "-i", "--path-as-is", "--globoff"];
  if (/^https:/i.test(url)) args.push("--http1.1");
  if (method === "HEAD") args.push("--head");
  else if (method !== "GET" || body.length > 0) args.push("-X", quote([method]));
  for (const [name, value] of headers) {
    const pieces = redactor.headerPieces(name, value);
    // curl takes away a header without a value; with a semicolon it sends it empty.
    args.push("-H", pieces.length === 0 ? quote([`${name};`]) : quote([`${name}: `, ...pieces]));
  }
  const has = (name: string) => headers.some(([known]) => known.toLowerCase() === name);
  // What curl would add by itself.
  for (const name of ["accept", "user-agent"]) if (!has(name)) args.push("-H", quote([`${name}:`]));
  const sendsBody = body.length > 0 || !/^(GET|HEAD|DELETE|OPTIONS|TRACE)$/.test(method);
  if (sendsBody && !has("content-type")) args.push("-H", quote(["content-type:"]));
  if (body.length > 1_000_000) args.push("-H", quote(["expect:"]));
  let before = "";
  if (sendsBody) {
    const source = bodySource(body, options);
    before = source.pipe;
    args.push(...source.args);
  }
  // What curl would take for a fragment, or refuse, goes into the request line as it is.
  if (!isForeign && /[^!-~]|#/.test(path)) {
    args.push("--request-target", quote(pathPieces(path, options)), quote([`${base.origin}/`]));
  } else args.push(quote(isForeign ? redactor.pieces(url) : [base.origin, ...pathPieces(path, options)]));
  return before + args.join(" ");
}

/** The path, with a handle that is only known when the line runs. */
function pathPieces(path: string, { redactor, handles }: ReplayOptions): Piece[] {
  for (const [handle, shell] of handles ?? []) {
    if (handle !== "" && path.endsWith(`/${handle}`)) {
      return [...redactor.pieces(path.slice(0, -handle.length)), { shell }];
    }
  }
  return redactor.pieces(path);
}

function bodySource(body: Buffer, options: ReplayOptions): { pipe: string; args: string[] } {
  const binary = body.toString("latin1");
  const pieces = options.redactor.pieces(binary);
  const hasSecret = pieces.some((piece) => typeof piece !== "string");
  if (!binary.includes("\0") && (binary.length <= longestLine || hasSecret)) {
    return { pipe: "", args: [binary.startsWith("@") ? "--data-raw" : "--data-binary", quote(pieces)] };
  }
  return { pipe: `${printing(binary, options)} | `, args: ["--data-binary", "@-"] };
}

/** A command that prints these bytes. */
function printing(binary: string, { redactor, bodyFile }: ReplayOptions): string {
  const pieces = redactor.pieces(binary);
  const hasSecret = pieces.some((piece) => typeof piece !== "string");
  if (binary.length > longestLine && !hasSecret) {
    const packed = gzipSync(Buffer.from(binary, "latin1"), { level: 9 }).toString("base64");
    if (packed.length <= longestPacked) return `echo ${packed} | base64 -d | gunzip`;
    if (bodyFile === undefined) throw new TooLong(binary.length);
    return `cat ${quote([bodyFile])}`;
  }
  const commands = pieces.map((piece) =>
    typeof piece === "string" ? `printf '${forPrintf(piece)}'` : `printf %s "${piece.shell}"`,
  );
  return commands.length === 1 ? (commands[0] as string) : `{ ${commands.join("; ")}; }`;
}

function toNetcat(written: readonly (Buffer | number)[], options: ReplayOptions): string {
  const base = new URL(options.base_url);
  const isTls = base.protocol === "https:";
  const host = base.hostname.replace(/^\[|\]$/g, "");
  const port = base.port || (isTls ? "443" : "80");
  const commands = written.map((piece) =>
    typeof piece === "number" ? `sleep ${piece / 1000}` : printing(piece.toString("latin1"), options),
  );
  const peer = isTls
    ? `openssl s_client -quiet -connect ${quote([`${host}:${port}`])}`
    : `nc -w 5 ${quote([host])} ${port}`;
  if (commands.length === 0) return `${peer} < /dev/null`;
  return `${commands.length === 1 ? commands[0] : `{ ${commands.join("; ")}; }`} | ${peer}`;
}

/** One word for bash, whatever bytes (one character each) it has, but NUL. */
export function quote(pieces: readonly Piece[]): string {
  const all: string[] = [];
  let text = "";
  for (const piece of [...pieces, { shell: "" }]) {
    if (typeof piece === "string") {
      text += piece;
      continue;
    }
    if (text !== "") all.push(quoteBytes(text));
    if (piece.shell !== "") all.push(`"${piece.shell}"`);
    text = "";
  }
  return all.join("") || "''";
}

function quoteBytes(binary: string): string {
  if (/^[\w@%+=:,./-]+$/.test(binary)) return binary;
  const bytes = Buffer.from(binary, "latin1");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const hasControls = /[\x00-\x1f\x7f]/.test(binary);
  const text = bytes.toString();
  if (!hasControls && isUtf8(bytes) && !/[\p{Cf}\p{Cc}\p{Zl}\p{Zp}]/u.test(text)) {
    return `'${text.replaceAll("'", "'\\''")}'`;
  }
  const escaped = binary.replace(/[^ -~]|['\\]/g, (one) => {
    if (one === "'" || one === "\\") return `\\${one}`;
    const known = ({ "\n": "\\n", "\r": "\\r", "\t": "\\t" } as Record<string, string>)[one];
    return known ?? `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return `$'${escaped}'`;
}

/** Bytes as printf's format, in single quotes. */
function forPrintf(binary: string): string {
  const escaped = binary.replace(/[^ -~]|['\\%]/g, (one) => {
    if (one === "%") return "%%";
    if (one === "\\") return "\\\\";
    const known = ({ "\n": "\\n", "\r": "\\r", "\t": "\\t" } as Record<string, string>)[one];
    return known ?? `\\${one.charCodeAt(0).toString(8).padStart(3, "0")}`;
  });
  // printf would take it for an option.
  return escaped.replace(/^-/, "\\055");
}
