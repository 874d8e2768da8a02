import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMessageCache } from "./message-cache.ts";

describe("the cache of messages", () => {
  it("gives every message, and holds no more of them than fit", async () => {
    const path = fc.integer({ min: 0, max: 9 });
    const step = fc.record({ path, drop: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 0, max: 40 }),
        async (steps, max) => {
          const cache = createMessageCache(max);
          const reads: number[] = [];
          // What should be held: newest last.
          let model: number[] = [];
          for (const { path: number, drop } of steps) {
            const message = await cache.get(String(number), async () => {
              reads.push(number);
              return Buffer.alloc(number, number);
            });
            expect(message).toEqual(Buffer.alloc(number, number));
            expect(reads.splice(0)).toEqual(model.includes(number) ? [] : [number]);
            model = [...model.filter((other) => other !== number), number];
            const total = () => model.reduce((sum, other) => sum + other, 0);
            while (total() > max) model.shift();
            // The cache makes room once the message is there for all who asked.
            await new Promise(setImmediate);
            if (!drop) continue;
            cache.drop(String(number));
            model = model.filter((other) => other !== number);
          }
        },
      ),
    );
  });

  it("reads once for all who ask at once, and again after a failure", async () => {
    const cache = createMessageCache(100);
    let reads = 0;
    const read = async () => {
      if (++reads === 1) throw new Error("the disk is away");
      return Buffer.from("there");
    };
    const asked = [cache.get("a", read), cache.get("a", read)];
    for (const one of asked) await expect(one).rejects.toThrow("the disk is away");
    expect(await Promise.all([cache.get("a", read), cache.get("a", read)])).toEqual([
      Buffer.from("there"),
      Buffer.from("there"),
    ]);
    expect(reads).toBe(2);
  });
});
