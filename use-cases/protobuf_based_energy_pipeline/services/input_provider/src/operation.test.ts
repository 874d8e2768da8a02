import { createInlineReference, type DataReference } from "@aieffect/control-interface";
import { startOperation } from "@aieffect/energy-services/testing";
import { describe, expect, it } from "vitest";
import { getConfiguration } from "./operation.ts";

describe("GetConfiguration", () => {
  it.each([
    [undefined, { num_records: 10 }],
    ['{"num_records":25,"seed":7}', { num_records: 25, seed: 7 }],
  ])("gives of %s a configuration", async (json, expected) => {
    const { run } = await startOperation(getConfiguration);
    const output = await run(json === undefined ? [] : [createInlineReference(json, "json")]);
    expect(output).toMatchObject({ protocol: "inline", format: "json" });
    expect(JSON.parse(Buffer.from(output.uri, "base64").toString())).toEqual(expected);
  });

  it.each([
    [
      createInlineReference('{"num_records":0}', "json"),
      "Invalid parameters of GetConfiguration. num_records: ",
    ],
    [createInlineReference("[1]", "json"), "no further input is expected, found inline and json"],
    [{ protocol: "file", uri: "/data/raw.csv", format: "csv" } as DataReference, "found file and csv"],
  ])("refuses %j", async (reference, message) => {
    const { run } = await startOperation(getConfiguration);
    await expect(run([reference])).rejects.toThrow(message);
  });
});
