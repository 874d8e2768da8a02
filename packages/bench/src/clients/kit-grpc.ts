/** Fetches results over gRPC with the data plane, and tells how long that took. */
import type { DataReference } from "@aieffect/control-interface";
import { createProtobufPlane } from "@aieffect/data-plane-protobuf";
import { BenchService } from "../grpc-messages.ts";

/** What to fetch: a large one piece by piece once, or, with `for_ms`, a small one as often as that allows. */
interface Question {
  reference: DataReference;
  size_bytes?: number;
  for_ms?: number;
  at_once?: number;
}

const plane = createProtobufPlane({ port: 0 });
const { make } = BenchService;

process.on("message", async ({ reference, size_bytes, for_ms, at_once = 1 }: Question) => {
  const began = performance.now();
  if (for_ms === undefined) {
    let found = 0;
    for await (const piece of plane.fetchMessages(reference, make)) found += piece.length;
    if (found !== size_bytes) throw new Error(`Expected ${size_bytes} bytes, found ${found}`);
    process.send?.(performance.now() - began);
    return;
  }
  let calls = 0;
  const caller = async () => {
    while (performance.now() - began < for_ms) {
      await plane.fetchMessage(reference, make);
      calls++;
    }
  };
  await Promise.all(Array.from({ length: at_once }, caller));
  process.send?.((calls * 1000) / (performance.now() - began));
});
process.send?.("ready");
