import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it } from "vitest";
import { type StoredPayload, toFileReference, toHttpReference, toInlineReference } from "../index.ts";

const stored: StoredPayload = {
  path: "/data/wf/task/a.csv",
  size_bytes: 3,
  checksum: "sha256:00",
  format: "csv",
  csv_rows: true,
};
const measured = { format: "csv", size_bytes: 3, checksum: "sha256:00" };

describe("references", () => {
  it("to a file and to a URL carry size and checksum, and what is given beside", () => {
    const extra = { metadata: { rows: 1 }, schema_uri: "https://example.org/schema" };
    expect(toFileReference(stored, extra)).toEqual({
      protocol: "file",
      uri: stored.path,
      ...measured,
      ...extra,
    });
    expect(toHttpReference(stored, "http://a:1/x?expires=1&signature=2")).toEqual({
      protocol: "http",
      uri: "http://a:1/x?expires=1&signature=2",
      ...measured,
      metadata: {},
    });
    expect(toHttpReference(stored, "https://a/x").protocol).toBe("https");
    expect(() => toHttpReference(stored, "/control/data/x")).toThrow("R-REF-05");
  });

  it("that carry the payload are made of files and bytes up to the limit", async () => {
    const path = join(await tempFolder(), "a.json");
    await writeFile(path, "{}");
    const reference = {
      protocol: "inline",
      uri: "e30=",
      format: "json",
      size_bytes: 2,
      checksum: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
      metadata: {},
    };
    expect(await toInlineReference({ path, format: "json" })).toEqual(reference);
    expect(await toInlineReference({ bytes: "{}", format: "json" }, { max_bytes: 2 })).toEqual(reference);
    await truncate(path, 5 * 2 ** 30);
    await expect(toInlineReference({ path, format: "json" })).rejects.toMatchObject({
      code: "invalid_reference",
      message: `Expected ${path} to have at most 1048576 bytes to be published inline, found more; publish it as file or http, or raise \`max_inline_bytes\``,
    });
    await truncate(path, 0);
    await expect(toInlineReference({ path, format: "json" })).rejects.toThrow("R-REF-04");
    await expect(toInlineReference({ path: `${path}x`, format: "json" })).rejects.toThrow("does not exist");
  });
});
