import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import type { ReceivedReply } from "./exchange.ts";

/** Longer bodies are not kept, packed or not. */
export const longestBody = 64 * 2 ** 20;

const decoders = {
  gzip: gunzipSync,
  "x-gzip": gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
} as const;

/**
 * A reply as the clients of the orchestrator and of services read it: they undo a Content-Encoding
 * whether they asked for it or not. What is not what it says, or unpacks to too much, stays as it came.
 */
export function decoded(reply: ReceivedReply): ReceivedReply {
  const coding = reply.headers["content-encoding"]?.trim().toLowerCase() ?? "";
  if (reply.cut || reply.body.length === 0 || !(coding in decoders)) return reply;
  try {
    const unpack = decoders[coding as keyof typeof decoders];
    return { ...reply, body: unpack(reply.body, { maxOutputLength: longestBody }) };
  } catch {
    // Whoever reads it finds no JSON.
    return reply;
  }
}
