import { gzipSync } from "node:zlib";
import { defineCase } from "../../engine/case.ts";
import { plainRequest, post, requireAlive, withstoodExecute } from "./probe.ts";

export const mediaType = defineCase({
  id: "R10",
  slug: "rob/media-type",
  profile: "robustness",
  level: "SHOULD",
  because: "practice",
  rules: ["R-GEN-01", "R-EXEC-12"],
  needs: [],
  holds: "Bodies of another media type, charset or coding are refused or read, without a 5xx",
  consequence:
    "A caller that forgets a header sees an error of the server, and looks for it in the wrong place.",
  fix: "Answer 415 or 422 to what is not application/json in UTF-8, or read it all the same.",
  async run(t) {
    const json = JSON.stringify(plainRequest(t));
    const variants: [string, Buffer | string, Record<string, string | null>][] = [
      ["text/plain", json, { "content-type": "text/plain" }],
      ["no media type", json, { "content-type": null }],
      ["an empty media type", json, { "content-type": "" }],
      ["a media type that is none", json, { "content-type": ";;=/json" }],
      ["application/json in upper case", json, { "content-type": "APPLICATION/JSON; Charset=UTF-8" }],
      ["an unknown charset", json, { "content-type": "application/json; charset=x-none" }],
      ["UTF-16", Buffer.from(json, "utf16le"), { "content-type": "application/json; charset=utf-16" }],
      ["gzip", gzipSync(json), { "content-encoding": "gzip" }],
      ["gzip that is none", json, { "content-encoding": "gzip" }],
      ["an unknown coding", json, { "content-encoding": "x-none" }],
      ["a form", "a=b&c=d", { "content-type": "application/x-www-form-urlencoded" }],
      ["a form without a boundary", json, { "content-type": "multipart/form-data" }],
      ["XML", "<a/>", { "content-type": "application/xml" }],
    ];
    for (const [what, body, headers] of variants) {
      await withstoodExecute(t, await post(t, body, headers), `a body with ${what}`);
    }
    await requireAlive(t, "bodies of other media types");
  },
});
