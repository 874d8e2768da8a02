import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the harness serves to the service under test. */
interface HostedFile {
  bytes: Buffer;
  media_type: string;
}

/** How a hosted input misbehaves (D08). */
export type FixtureFault =
  | "404"
  | "500"
  /** The connection is reset in the middle. */
  | "reset"
  /** Headers come, the body never does. */
  | "stall"
  /** Fewer bytes than announced, then the connection closes. */
  | "truncated"
  | "redirect-loop"
  /** A body without end. */
  | "oversize";

/** A server of inputs that run in the harness's own process. */
export interface FixtureHost {
  /** URL of a file, unlike that of any other; `query` is part of what has to be asked for. */
  urlOf(name: string, query?: string): string;
  /** Hosts bytes under a name. */
  add(name: string, file: HostedFile): void;
  /** What is hosted at a URL of this host. */
  at(url: string): HostedFile | undefined;
  /** URL of an input that misbehaves. What it sends, whole or not, is the file: who overlooks the fault gets something to work with. */
  faultUrl(fault: FixtureFault, file?: HostedFile): string;
  /** Paths with query that were asked for, as they stood in the request line. */
  readonly requests: readonly string[];
  readonly origin: string;
  close(): Promise<void>;
}

/** Where it listens, and under which name the service reaches it. */
export interface FixtureHostOptions {
  /** @default "127.0.0.1" */
  host?: string | undefined;
  /** @default 0, a free one */
  port?: number | undefined;
}

/** So much of a body without end is sent at most, in case nobody hangs up: more than most set as a limit, less than kills a small machine. */
const oversize = 128 * 2 ** 20;

export async function startFixtureHost({
  host = "127.0.0.1",
  port = 0,
}: FixtureHostOptions = {}): Promise<FixtureHost> {
  const files = new Map<string, HostedFile>();
  const faulty = new Map<string, HostedFile>();
  const requests: string[] = [];
  let serial = 0;
  const server = createServer((request, response) => {
    const target = request.url ?? "/";
    requests.push(target);
    response.on("error", () => {});
    const fault = /^\/faults\/([a-z0-9-]+)/.exec(target)?.[1] as FixtureFault | undefined;
    if (fault !== undefined) return misbehave(fault, faulty.get(target) ?? someCsv, request, response);
    const file = files.get(nameOf(target));
    if (file === undefined) return void response.writeHead(404).end("no such fixture");
    const etag = `"${createHash("sha256").update(file.bytes).digest("hex").slice(0, 16)}"`;
    response.writeHead(200, {
      "content-type": file.media_type,
      "content-length": file.bytes.length,
      etag,
    });
    response.end(request.method === "HEAD" ? undefined : file.bytes);
  });
  const isLocal = host === "127.0.0.1" || host === "localhost" || host === "::1";
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // Where the service lives elsewhere it has to be able to come in.
    server.listen(port, isLocal ? "127.0.0.1" : "0.0.0.0", resolve);
  });
  const origin = `http://${host}:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    requests,
    urlOf: (name, query = "") => `${origin}/${encodeURIComponent(name)}${query}`,
    add: (name, file) => void files.set(name, file),
    at: (url) => (url.startsWith(`${origin}/`) ? files.get(nameOf(url.slice(origin.length))) : undefined),
    faultUrl(fault, file = someCsv) {
      const path = `/faults/${fault}/${++serial}${file.media_type.includes("json") ? ".json" : ".csv"}`;
      faulty.set(path, file);
      return origin + path;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const someCsv: HostedFile = { bytes: Buffer.from("time,value\n00:00,1\n"), media_type: "text/csv" };

/** The name that a request asks for; none where its escapes are broken. */
function nameOf(target: string): string {
  try {
    return decodeURIComponent(target.split("?")[0] ?? "").slice(1);
  } catch {
    return "";
  }
}

function misbehave(
  fault: FixtureFault,
  file: HostedFile,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const some = file.bytes;
  const head = { "content-type": file.media_type };
  const longer = { ...head, "content-length": some.length + 100_000 };
  switch (fault) {
    case "404":
    case "500":
      response.writeHead(Number(fault), head).end(some);
      return;
    case "reset":
      response.writeHead(200, longer).write(some, () => response.socket?.resetAndDestroy());
      return;
    case "stall":
      response.writeHead(200, longer).flushHeaders();
      return;
    case "truncated":
      response.writeHead(200, longer).write(some, () => response.socket?.end());
      return;
    case "redirect-loop":
      response.writeHead(302, { location: request.url ?? "/" }).end();
      return;
    case "oversize": {
      response.writeHead(200, head).write(some);
      // White space is no end of JSON either.
      const piece = Buffer.alloc(2 ** 20, file.media_type.includes("json") ? " " : "00:00,1\n");
      let sent = 0;
      const more = () => {
        while (!response.destroyed && sent < oversize) {
          sent += piece.length;
          if (!response.write(piece)) return void response.once("drain", more);
        }
        response.end();
      };
      more();
      return;
    }
    default:
      response.writeHead(404).end();
  }
}
