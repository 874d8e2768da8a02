/** A kit service that publishes a result of the length asked for over gRPC, in pieces, and serves it. */
import { randomFillSync } from "node:crypto";
import { createProtobufPlane } from "@aieffect/data-plane-protobuf";
import { defineOperation, sequentialService, serve } from "@aieffect/service-kit";
import { BenchService, pieceBytes } from "../grpc-messages.ts";

const { make } = BenchService;
const plane = createProtobufPlane({ services: [{ make }], port: 0 });
const publish = defineOperation({
  name: "Make",
  run: (ctx) => plane.publish(make, noise(Number(ctx.parameters.size_bytes)), ctx),
});

/** Nothing on the way can make it shorter. */
function* noise(size_bytes: number): Generator<Buffer> {
  for (let left = size_bytes; left > 0; left -= pieceBytes) {
    yield randomFillSync(Buffer.allocUnsafe(Math.min(left, pieceBytes)));
  }
}

const service = sequentialService({ operations: [publish], planes: [plane] });
const { url } = await serve(service, { host: "127.0.0.1", port: 0 });
process.send?.(url);
