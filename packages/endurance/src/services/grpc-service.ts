/** Publishes results of any size over gRPC in pieces, and counts those of others. */
import { createHash, randomBytes } from "node:crypto";
import { createProtobufPlane } from "@aieffect/data-plane-protobuf";
import { defineOperation, sequentialService, serve } from "@aieffect/service-kit";

const itself = (bytes: Buffer): Buffer => bytes;
/** Its messages are the bytes themselves. */
const make = {
  path: "/endurance.Endurance/Make",
  requestStream: false,
  responseStream: false,
  requestSerialize: itself,
  requestDeserialize: itself,
  responseSerialize: itself,
  responseDeserialize: itself,
};

const piece = 1_000_000;

/** Pieces that differ from one another, made as fast as they are taken. */
function* pieces(size: number): Generator<Buffer> {
  const bytes = randomBytes(piece);
  for (let at = 0; at < size; at += piece) {
    const next = Buffer.from(bytes.subarray(0, Math.min(piece, size - at)));
    next.writeUIntLE(at, 0, 6);
    yield next;
  }
}

const plane = createProtobufPlane({ services: [{ make }] });
const operations = [
  defineOperation({
    name: "Make",
    run: (ctx) => plane.publish(make, pieces(Number(ctx.parameters.size_bytes)), ctx),
  }),
  defineOperation({
    name: "Count",
    async run(ctx) {
      const hash = createHash("sha256");
      let size_bytes = 0;
      let messages = 0;
      for await (const message of plane.fetchMessages(ctx.inputs[0], make, ctx)) {
        hash.update(message);
        size_bytes += message.length;
        messages++;
      }
      const found = { size_bytes, messages, sha256: hash.digest("hex") };
      return ctx.publish(JSON.stringify(found), { format: "json", as: "inline" });
    },
  }),
];

await serve(sequentialService({ operations, name: "grpc", planes: [plane] }), { grace_ms: 0 });
