import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { delimit, MessageSplitter } from "./delimited.ts";

const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 30 });

describe("messages behind their lengths", () => {
  it("come out as they went in, however the bytes are cut", () => {
    fc.assert(
      fc.property(messages, fc.infiniteStream(fc.integer({ min: 1, max: 200 })), (given, cuts) => {
        const all = Buffer.concat(given.map(delimit));
        const splitter = new MessageSplitter(300);
        const found: Buffer[] = [];
        for (let at = 0; at < all.length; ) {
          const length = cuts.next().value as number;
          found.push(...splitter.push(all.subarray(at, at + length)));
          at += length;
        }
        splitter.end();
        expect(found.map((message) => [...message])).toEqual(given.map((message) => [...message]));
      }),
    );
  });

  it("are refused when the last one is cut", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(), (message, random) => {
        const whole = delimit(message);
        const splitter = new MessageSplitter(300);
        expect([...splitter.push(whole.subarray(0, 1 + (random % (whole.length - 1))))]).toEqual([]);
        expect(() => splitter.end()).toThrow("Expected whole messages, found that the last one is cut");
      }),
    );
  });

  it("are refused when one is too large, before it is there, and when bytes are no length", () => {
    const large = new MessageSplitter(1000);
    expect(() => [...large.push(delimit(Buffer.alloc(1001)).subarray(0, 2))]).toThrow(
      "Expected messages of at most 1000 bytes, found one of 1001",
    );
    const odd = new MessageSplitter(1000);
    expect(() => [...odd.push(Buffer.alloc(8, 0xff))]).toThrow(
      "Expected the length of a message, found bytes that are none",
    );
  });
});
