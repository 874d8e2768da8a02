import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decoded, longestBody } from "./content-coding.ts";

const reply = (body: Buffer, encoding?: string) => ({
  status: 200,
  headers: encoding === undefined ? {} : { "content-encoding": encoding },
  body,
  cut: false,
});
const read = (body: Buffer, encoding?: string) => decoded(reply(body, encoding)).body.toString();

describe("a packed reply", () => {
  it("is read as what it was packed from", () => {
    expect(read(Buffer.from("{}"))).toBe("{}");
    expect(read(gzipSync("{}"), "GZIP")).toBe("{}");
    expect(read(deflateSync("{}"), "deflate")).toBe("{}");
    expect(read(brotliCompressSync("{}"), "br")).toBe("{}");
  });

  it("stays as it came where it is not what it says, or would fill the memory", () => {
    expect(read(Buffer.from("{}"), "gzip")).toBe("{}");
    const bomb = gzipSync(Buffer.alloc(longestBody + 1));
    expect(decoded(reply(bomb, "gzip")).body).toBe(bomb);
  });
});
