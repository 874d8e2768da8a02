import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressOf, readS3Uri, toS3Uri } from "./address.ts";
import { toObjectKey } from "./key.ts";

const at = (endpoint: string, path_style: boolean, uri: string) => {
  const { origin, path } = addressOf({ endpoint: new URL(endpoint), path_style }, readS3Uri(uri));
  return origin.origin + path;
};

describe("readS3Uri", () => {
  it.each([
    ["s3://bucket/key", "bucket", "key"],
    ["s3://my.bucket-1/a/b.csv", "my.bucket-1", "a/b.csv"],
    ["s3://bucket//a//b/", "bucket", "/a//b/"],
    ["s3://bucket/a/../b/./c", "bucket", "a/../b/./c"],
    ["s3://bucket/50% of a+b?c#d e", "bucket", "50% of a+b?c#d e"],
    ["s3://bucket/läufe/東京.csv", "bucket", "läufe/東京.csv"],
  ])("reads %s as it stands", (uri, bucket, key) => {
    expect(readS3Uri(uri)).toEqual({ bucket, key });
  });

  it.each([
    ["s3://bucket", "the key is missing"],
    ["s3://bucket/", "the key is missing"],
    ["s3:///key", "that is no bucket's name"],
    ["s3://user@host/key", "that is no bucket's name"],
    ["s3://../key", "that is no bucket's name"],
    ["s3://a..b/key", "that is no bucket's name"],
    [`s3://bucket/${"é".repeat(513)}`, "the key has more than 1,024 bytes"],
    ["s3://bucket/\ud800", "the key is no well-formed Unicode"],
  ])("refuses %s", (uri, why) => {
    expect(() => readS3Uri(uri)).toThrow(
      expect.objectContaining({ code: "invalid_reference", message: expect.stringContaining(why) }),
    );
  });

  it("reads back what toS3Uri gives, and addresses every key as its own", () => {
    const keys = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
    const addressing = { endpoint: new URL("https://s3.test"), path_style: true };
    fc.assert(
      fc.property(keys, (key) => {
        const object = { bucket: "bucket", key };
        expect(readS3Uri(toS3Uri(object))).toEqual(object);
        const { path } = addressOf(addressing, object);
        expect(path).toMatch(/^\/bucket\/([\w.~/-]|%[\dA-F]{2})+$/);
        expect(decodeURIComponent(path)).toBe(`/bucket/${key}`);
      }),
    );
  });
});

describe("addressOf", () => {
  it.each([
    [
      "https://s3.eu-west-1.amazonaws.com",
      false,
      "s3://b-1/a b",
      "https://b-1.s3.eu-west-1.amazonaws.com/a%20b",
    ],
    ["https://s3.eu-west-1.amazonaws.com", true, "s3://b-1/a", "https://s3.eu-west-1.amazonaws.com/b-1/a"],
    // A certificate for *.s3.amazonaws.com is none for a.b.s3.amazonaws.com.
    ["https://s3.amazonaws.com", false, "s3://a.b/k", "https://s3.amazonaws.com/a.b/k"],
    ["http://s3.test:9000", false, "s3://a.b/k", "http://a.b.s3.test:9000/k"],
    ["http://s3.test:9000", false, "s3://Capitals/k", "http://s3.test:9000/Capitals/k"],
    ["http://10.0.0.1:9000", false, "s3://bucket/k", "http://10.0.0.1:9000/bucket/k"],
    ["http://[::1]:9000", false, "s3://bucket/k", "http://[::1]:9000/bucket/k"],
    ["https://x.test/storage/s3/", true, "s3://bucket/k", "https://x.test/storage/s3/bucket/k"],
    ["http://s3.test", true, "s3://bucket/a/../%2e//b+c", "http://s3.test/bucket/a/../%252e//b%2Bc"],
    ["http://s3.test", true, "s3://bucket/!'()*~?#", "http://s3.test/bucket/%21%27%28%29%2A~%3F%23"],
  ])("at %s, in the path: %s, puts %s", (endpoint, path_style, uri, url) => {
    expect(at(endpoint, path_style, uri)).toBe(url);
  });
});

describe("toObjectKey", () => {
  it.each([
    [["wf-1", "task_1", "abc"], "output.csv", "p/wf-1/task_1/abc/output.csv"],
    [["wf-1"], "archive.tar.gz", "p/wf-1/archive.tar.gz"],
    [["../.."], "a", "p/______8a1d9dd0d6a4/a"],
    [
      ["a b", "läufe"],
      "100 % läufe.csv",
      "p/a_b_c7f7cd3ea8c5/l_ufe_6d0cd7ad7d0f/100___l_ufe_9d1d3dca1ec1.csv",
    ],
  ])("of %j and %s", (ids, name, key) => {
    const found = toObjectKey("p/", ids, name);
    expect(found.replace(/_[\da-f]{12}/g, "_#")).toBe(key.replace(/_[\da-f]{12}/g, "_#"));
  });

  it("gives different keys to different names, all of them plain", () => {
    const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((text) => {
      try {
        return toObjectKey("", [], text) !== "";
      } catch {
        return false;
      }
    });
    fc.assert(
      fc.property(name, name, (one, other) => {
        const [first, second] = [one, other].map((text) => toObjectKey("", ["wf"], text));
        expect(first).toMatch(/^wf\/[\w.-]+$/);
        expect(first === second).toBe(one === other);
      }),
    );
  });

  it.each(["", "..", "a/b", "a\0"])("refuses %j as a name", (name) => {
    expect(() => toObjectKey("", ["wf"], name)).toThrow(
      expect.objectContaining({ code: "invalid_reference" }),
    );
  });
});
