/** A kit service that publishes a payload of the length asked for as a file of its own, and serves it. */
import { randomFillSync } from "node:crypto";
import { join } from "node:path";
import { defineOperation, sequentialService, serve } from "@aieffect/service-kit";

const name = "payload.bin";
const publish = defineOperation({
  name: "Publish",
  async run({ parameters, publish, folder }) {
    const metadata = { path: join(await folder(), name) };
    return publish(noise(Number(parameters.size_bytes)), { format: "binary", as: "http", name, metadata });
  },
});

/** Nothing on the way can make it shorter. */
function* noise(size_bytes: number): Generator<Uint8Array> {
  const piece = Buffer.allocUnsafe(2 ** 20);
  for (let left = size_bytes; left > 0; left -= piece.length) {
    yield randomFillSync(piece).subarray(0, Math.min(left, piece.length));
  }
}

const { url } = await serve(sequentialService({ operations: [publish] }), { host: "127.0.0.1", port: 0 });
process.send?.(url);
