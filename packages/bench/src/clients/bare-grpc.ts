/** Calls with what grpc-js has, and tells how long that took. */
import { createHash } from "node:crypto";
import { Client, credentials } from "@grpc/grpc-js";
import { BenchService, pieceBytes } from "../grpc-messages.ts";

/** What to fetch: the stream of a file once, or, with `for_ms`, a message as often as that allows. */
interface Question {
  address: string;
  path?: string;
  /** Compare what came of the file with it. */
  sha256?: string;
  for_ms?: number;
  at_once?: number;
}

const { make, stream } = BenchService;

process.on("message", async ({ address, path = "", sha256, for_ms, at_once = 1 }: Question) => {
  const client = new Client(address, credentials.createInsecure());
  const began = performance.now();
  if (for_ms === undefined) {
    const hash = sha256 === undefined ? undefined : createHash("sha256");
    const call = client.makeServerStreamRequest(
      stream.path,
      stream.requestSerialize,
      stream.responseDeserialize,
      Buffer.from(path),
    );
    let found = 0;
    for await (const piece of call as AsyncIterable<Buffer>) {
      found += piece.length;
      hash?.update(piece);
    }
    const digest = hash?.digest("hex");
    if (digest !== sha256) throw new Error(`Expected sha256 ${sha256}, found ${digest}`);
    if (found < pieceBytes) throw new Error(`Expected a large result, found ${found} bytes`);
    process.send?.(performance.now() - began);
    client.close();
    return;
  }
  let calls = 0;
  const ask = () =>
    new Promise<void>((resolve, reject) => {
      client.makeUnaryRequest(
        make.path,
        make.requestSerialize,
        make.responseDeserialize,
        Buffer.alloc(0),
        (error) => (error === null ? resolve() : reject(error)),
      );
    });
  const caller = async () => {
    while (performance.now() - began < for_ms) {
      await ask();
      calls++;
    }
  };
  await Promise.all(Array.from({ length: at_once }, caller));
  process.send?.((calls * 1000) / (performance.now() - began));
  client.close();
});
process.send?.("ready");
