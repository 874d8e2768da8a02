import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, it } from "vitest";
import { MessageSplitter } from "./delimited.ts";
import { JoinedBytes } from "./joined-bytes.ts";

it("gives the parts one behind the other, whatever their sizes", () => {
  const size = fc.oneof(fc.nat(3), fc.integer({ min: 4090, max: 4100 }));
  const runs = fc.array(fc.tuple(size, fc.integer({ min: 1, max: 1500 })), { maxLength: 6 });
  fc.assert(
    fc.property(runs, (given) => {
      const parts = given.flatMap(([length, often]) =>
        Array.from({ length: often }, (_, index) => Buffer.alloc(length, index)),
      );
      const joined = new JoinedBytes();
      for (const part of parts) joined.add(part);
      expect(joined.take().equals(Buffer.concat(parts))).toBe(true);
      expect(joined.take()).toHaveLength(0);
    }),
    { numRuns: 20 },
  );
});

it("holds a message that comes byte by byte in little more than its bytes", () => {
  const bytes = 300_000;
  const splitter = new MessageSplitter(2 ** 20);
  expect([...splitter.push(Buffer.from([0xff, 0xff, 0x3f]))]).toEqual([]);
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("globalThis.gc") as () => void;
  setFlagsFromString("--no-expose-gc");
  const held = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = held();
  for (let index = 0; index < bytes; index++) for (const _ of splitter.push(Buffer.alloc(1))) throw _;
  expect(held() - before).toBeLessThan(bytes * 20);
  expect([...splitter.push(Buffer.alloc(2 ** 20))].length).toBeGreaterThan(0);
});
