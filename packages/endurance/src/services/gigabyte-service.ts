/** Makes payloads of any size, and keeps those of others. */
import { randomBytes } from "node:crypto";
import { defineOperation, sequentialService, serve } from "@aieffect/service-kit";

const block = 256 * 1024;

/** Blocks that differ from one another, made as fast as they are taken. */
function* blocks(size: number): Generator<Uint8Array> {
  const bytes = randomBytes(block);
  for (let at = 0; at < size; at += block) {
    const next = Buffer.from(bytes.subarray(0, Math.min(block, size - at)));
    next.writeUIntLE(at, 0, 6);
    yield next;
  }
}

const operations = [
  defineOperation({
    name: "Make",
    run: (ctx) => ctx.publish(blocks(Number(ctx.parameters.size_bytes)), { format: "binary" }),
  }),
  defineOperation({
    name: "Keep",
    run: async (ctx) => {
      const path = (await ctx.inputs[0]?.path()) ?? "";
      return ctx.publish({ path }, { format: "binary", as: "file" });
    },
  }),
];

await serve(sequentialService({ operations, name: "gigabyte" }), { grace_ms: 0 });
