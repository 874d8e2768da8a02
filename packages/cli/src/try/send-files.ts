import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, isIPv6 } from "node:net";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import {
  createInlineReference,
  createReference,
  type DataReference,
  type Format,
} from "@aieffect/control-interface";
import type { SentPayload } from "@aieffect/data-plane-file";
import { CliError } from "../errors/cli-error.ts";

/** How a file gets to the service. */
export const ways = ["auto", "inline", "http", "file"] as const;
/** One of them. */
export type Way = (typeof ways)[number];

/** Files up to here travel inside the request; larger ones are fetched by the service. */
const mostInline = 1024 * 1024;

/** A file that is to be an input. */
interface LocalFile {
  name: string;
  path: string;
  format: Format;
  /** Protocols that the operation takes here; none means any. */
  protocols: readonly string[];
}

/** Makes references of files; serves those that are fetched until it is closed. */
export interface FileSender {
  toReference(file: LocalFile): Promise<DataReference>;
  close(): Promise<void>;
}

/** Where the service is, and where it finds this machine. */
export interface FileSenderOptions {
  service: URL;
  way: Way;
  /** Name or address of this machine as the service knows it. @default the address that it is called from */
  host: string | undefined;
}

/** A sender that listens only when a file is to be fetched. */
export function createFileSender({ service, way, host }: FileSenderOptions): FileSender {
  const served = new Map<string, SentPayload>();
  let listening: Promise<{ server: Server; origin: string }> | undefined;

  async function toReference(file: LocalFile): Promise<DataReference> {
    const size = await sizeOf(file.path);
    const metadata = { name: file.name, filename: basename(file.path) };
    switch (chooseWay(way, size, file)) {
      case "inline":
        return createInlineReference(await readFile(file.path), file.format, { metadata });
      case "file":
        return createReference({
          ...(await measured(file.path)),
          protocol: "file",
          uri: file.path,
          format: file.format,
          metadata,
        });
      case "http": {
        const { size_bytes, checksum } = await measured(file.path);
        listening ??= listen(service, host, served);
        const { origin } = await listening;
        // Unguessable: whoever knows the URL can read the file.
        const path = `/${randomUUID()}/${encodeURIComponent(basename(file.path))}`;
        served.set(path, { path: file.path, format: file.format, size_bytes, checksum });
        return createReference({
          protocol: "http",
          uri: origin + path,
          format: file.format,
          size_bytes,
          checksum,
          metadata,
        });
      }
    }
  }

  return {
    toReference,
    async close() {
      if (listening === undefined) return;
      const { server } = await listening;
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Inside the request where that is small and taken, else over HTTP, else as a path that both sides see. */
function chooseWay(way: Way, size: number, { protocols, path }: LocalFile): Exclude<Way, "auto"> {
  if (size === 0) {
    // An inline reference without bytes is none (R-REF-04), and no operation can do anything with it.
    throw new CliError("input-unreadable", `Expected ${path} to have bytes, found it empty`);
  }
  if (way !== "auto") return way;
  const takes = (protocol: string) => protocols.length === 0 || protocols.includes(protocol);
  if (takes("inline") && size <= mostInline) return "inline";
  if (takes("http")) return "http";
  return takes("file") ? "file" : "inline";
}

async function sizeOf(path: string): Promise<number> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path);
    const found = await handle.stat();
    if (!found.isFile()) throw new Error(`${path} is no regular file`);
    return found.size;
  } catch (cause) {
    throw new CliError(
      "input-unreadable",
      `Expected a file that can be read, found ${(cause as Error).message}`,
      {
        state: "nothing was sent",
        cause,
      },
    );
  } finally {
    await handle?.close();
  }
}

async function measured(path: string): Promise<{ size_bytes: number; checksum: string }> {
  const hash = createHash("sha256");
  let size_bytes = 0;
  await pipeline(createReadStream(path), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      size_bytes += chunk.length;
      hash.update(chunk);
    }
  });
  return { size_bytes, checksum: `sha256:${hash.digest("hex")}` };
}

async function listen(service: URL, given: string | undefined, served: ReadonlyMap<string, SentPayload>) {
  const { sendPayload } = await import("@aieffect/data-plane-file");
  const server = createServer((request, response) => {
    const payload = served.get(request.url ?? "");
    if (payload === undefined || (request.method !== "GET" && request.method !== "HEAD")) {
      response.writeHead(404).end();
      return;
    }
    sendPayload(request, response, payload).catch((error: Error) => {
      process.stderr.write(`${basename(request.url ?? "")} could not be sent: ${error.message}\n`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  const host = given ?? (await ownAddress(service));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // Under a name of the user's the service may come in through any address.
    server.listen(0, given === undefined ? host : "0.0.0.0", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { server, origin: `http://${isIPv6(host) ? `[${host}]` : host}:${port}` };
}

/** The address of this machine that a connection to the service begins at. */
function ownAddress(service: URL): Promise<string> {
  const socket = connect({
    host: service.hostname.replace(/^\[|\]$/g, ""),
    port: Number(service.port || 80),
  });
  return new Promise<string>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => resolve(socket.localAddress ?? "127.0.0.1"));
  }).finally(() => socket.destroy());
}
