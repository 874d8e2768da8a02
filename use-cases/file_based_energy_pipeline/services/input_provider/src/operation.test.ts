import { createInlineReference, type DataReference } from "@aieffect/control-interface";
import { startOperation } from "@aieffect/energy-services/testing";
import { describe, expect, it } from "vitest";
import { getConfiguration } from "./operation.ts";

function read({ uri }: DataReference): string {
  return Buffer.from(uri, "base64").toString();
}

describe("GetConfiguration", () => {
  it("gives the defaults when the workflow has no input", async () => {
    const { run } = await startOperation(getConfiguration);
    const output = await run([]);
    expect(output).toMatchObject({ protocol: "inline", format: "json" });
    expect(read(output)).toBe('{"num_records":10,"output_format":"csv"}');
  });

  it("gives what the workflow's inline input says, with what it knows nothing of", async () => {
    const { run } = await startOperation(getConfiguration);
    const output = await run([createInlineReference('{"num_records":25,"seed":7}', "json")]);
    expect(JSON.parse(read(output))).toEqual({ num_records: 25, output_format: "csv", seed: 7 });
  });

  it.each([
    { protocol: "file", uri: "/data/raw.csv", format: "csv", checksum: "sha256:ab", metadata: { a: 1 } },
    { protocol: "http", uri: "http://loader:8080/control/data/1", format: "csv", size_bytes: 7 },
    { protocol: "https", uri: "https://example.org/raw.csv", format: "csv" },
    { protocol: "s3", uri: "s3://bucket/raw.csv", format: "csv" },
    { protocol: "inline", uri: Buffer.from("a,b\n1,2\n").toString("base64"), format: "csv" },
  ] as DataReference[])("passes a $protocol data set on unchanged", async (reference) => {
    const { run } = await startOperation(getConfiguration);
    expect(await run([reference])).toMatchObject(reference);
  });

  it.each([
    ["[1]", "Expected the inline JSON to be an object such as", 1],
    ['{"num_records":0}', "Invalid parameters of GetConfiguration. num_records: ", 1],
    ["{}", "GetConfiguration takes at most one input, a configuration or a data set; found 2", 2],
  ])("refuses %s", async (json, message, count) => {
    const { run } = await startOperation(getConfiguration);
    await expect(
      run(Array.from({ length: count }, () => createInlineReference(json, "json"))),
    ).rejects.toThrow(message);
  });
});
