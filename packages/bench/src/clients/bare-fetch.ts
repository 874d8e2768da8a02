/** Fetches a URL into a file with what node:http and node:stream have, and tells how long that took. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

/** What to fetch; with a checksum it is compared and the file is synced, without one neither. */
interface Question {
  url: string;
  path: string;
  sha256?: string;
}

process.on("message", async ({ url, path, sha256 }: Question) => {
  const began = performance.now();
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, resolve).on("error", reject);
  });
  if (sha256 === undefined) {
    await pipeline(response, createWriteStream(path));
  } else {
    const hash = createHash("sha256");
    const digest = new Transform({
      transform(chunk: Buffer, _encoding, callback) {
        hash.update(chunk);
        callback(null, chunk);
      },
    });
    await pipeline(response, digest, createWriteStream(path, { flush: true }));
    const found = hash.digest("hex");
    if (found !== sha256) throw new Error(`Expected ${url} to have sha256 ${sha256}, found ${found}`);
  }
  const ms = performance.now() - began;
  await rm(path);
  process.send?.(ms);
});
process.send?.("ready");
