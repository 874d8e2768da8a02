import { hostname } from "node:os";
import { extname } from "node:path";
import { Readable } from "node:stream";
import type { DataReference } from "@aieffect/control-interface";
import { CliError } from "../errors/cli-error.ts";
import { show, type TakeOptions, writeWhole } from "./put-output.ts";

/** Endings of files that get the message as it travels; all others get JSON. */
const binary = new Set([".pb", ".binpb", ".bin"]);

/** Largest message that is taken, in bytes. */
const most = 256 * 2 ** 20;

/** Why the message behind a reference cannot be read here, although nothing failed. */
export interface Undescribed {
  reason: string;
  fixes: readonly string[];
}

/**
 * Fetches the message behind a `grpc` reference, as the next service would, and writes it as JSON,
 * or as it travels. How it is to be read, the service itself tells by reflection, or --proto does.
 *
 * @returns what is missing where nobody tells
 * @throws ControlError when it cannot be had as the reference says; CliError without the package for it
 */
export async function takeMessage(
  reference: DataReference,
  { file, output, service, token, origins, protos, signal }: TakeOptions,
): Promise<Undescribed | undefined> {
  const { createProtobufPlane } = await loadPlane();
  const uri = addressFrom(reference.uri, service, origins);
  const reachable = { ...reference, uri };
  const isService = uri.replace(/:\d+$/, "") === service.hostname;
  const plane = createProtobufPlane({
    port: 0,
    host: "127.0.0.1",
    max_fetch_bytes: most,
    fetch_retries: 1,
    peer_keys: token !== undefined && isService ? { [service.hostname]: token } : {},
  });
  try {
    const rpc = await plane.describe(reachable, { signal, ...(protos.length > 0 && { protos }) });
    if (rpc === undefined) {
      return {
        reason: `${uri} does not tell by gRPC reflection what is in the message`,
        fixes: ["--proto FILE with the service's .proto"],
      };
    }
    const asBytes = file !== undefined && binary.has(extname(file).toLowerCase());
    const content = async (indent: number) => {
      if (asBytes || !rpc.responseStream) {
        const { bytes, fields } = await plane.fetchMessage(reachable, rpc, { signal });
        return asBytes ? bytes : `${JSON.stringify(fields, null, indent)}\n`;
      }
      let lines = "";
      for await (const { fields } of plane.fetchMessages(reachable, rpc, { signal })) {
        lines += `${JSON.stringify(fields)}\n`;
      }
      return lines;
    };
    if (file !== undefined) await writeWhole(file, Readable.from([await content(2)]));
    else if (output !== undefined) await show(Buffer.from(await content(2)), output);
    return undefined;
  } finally {
    await plane.stop(0);
  }
}

/** Only where messages are: services without gRPC do without the package. */
async function loadPlane() {
  try {
    return await import("@aieffect/data-plane-protobuf");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new CliError(
      "package-missing",
      "Expected @aieffect/data-plane-protobuf, with which messages are fetched over gRPC, found nothing",
      { fixes: ["npm install --save-dev @aieffect/data-plane-protobuf"], cause },
    );
  }
}

/** The address as it is reached from here; this machine's own name leads to where the service is, if that is here. */
function addressFrom(uri: string, service: URL, origins: ReadonlyMap<string, string>): string {
  const mapped = origins.get(`grpc://${uri.replace(/^(?:grpc:\/\/|dns:(?:\/\/\/)?)/, "")}`);
  if (mapped !== undefined) return mapped.replace(/^grpc:\/\//, "");
  const isHere = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(service.hostname);
  const [, host, port] = /^(.*):(\d+)$/.exec(uri) ?? [];
  return isHere && host === hostname() ? `${service.hostname}:${port}` : uri;
}
