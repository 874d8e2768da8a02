import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeReply } from "../oracle/judge.ts";
import { checkReference } from "./check-reference.ts";
import { createInlineReference, createReference } from "./create-reference.ts";
import { type DataReference, formats, mediaTypeOf, protocols } from "./data-reference.ts";

const good: Record<(typeof protocols)[number], string> = {
  inline: "e30=",
  file: "/data/wf/task/output.csv",
  http: "http://loader:8080/control/data/abc",
  https: "https://loader/control/data/abc",
  s3: "s3://bucket/some/key.csv",
  nfs: "server:/export/data.csv",
  mqtt: "mqtts://broker/topic",
  grpc: "loader:50051",
  villas: "node1",
};

describe("createReference", () => {
  it.each(protocols)("builds %s", (protocol) => {
    const format = protocol === "grpc" ? "GenerateData" : "csv";
    const reference = createReference({ protocol, uri: good[protocol], format });
    expect(reference).toEqual({ protocol, uri: good[protocol], format, metadata: {} });
  });

  it("keeps every field that is given", () => {
    const reference: DataReference = {
      protocol: "file",
      uri: "/a",
      format: "json",
      schema_uri: "http://schemas/a",
      size_bytes: 0,
      checksum: "sha256:ab",
      metadata: { rows: 3, nested: { deep: [1.5, null] } },
    };
    expect(createReference(reference)).toEqual(reference);
  });

  it.each([
    [{ protocol: "s3", uri: "s3://bucket", format: "csv" }, "R-REF-06"],
    [{ protocol: "s3", uri: "s3:///key", format: "csv" }, "R-REF-06"],
    [{ protocol: "grpc", uri: "loader", format: "GenerateData" }, "R-REF-09"],
    [{ protocol: "grpc", uri: "http://loader:50051", format: "GenerateData" }, "R-REF-09"],
    [{ protocol: "http", uri: "http://", format: "csv" }, "R-REF-05"],
    [{ protocol: "http", uri: "https://x/", format: "csv" }, "R-REF-05"],
    [{ protocol: "nfs", uri: ":/x", format: "csv" }, "R-REF-07"],
    [{ protocol: "file", uri: " ", format: "csv" }, "R-REF-03"],
    [{ protocol: "file", uri: "/a", format: "CSV" }, "R-REF-10"],
    [{ protocol: "http", uri: "http://x/", format: "BenchmarkResult" }, "R-REF-10"],
    [{ protocol: "inline", uri: "e30", format: "json" }, "R-REF-04"],
    [{ protocol: "ftp", uri: "ftp://x", format: "csv" }, "R-REF-02"],
    [{ protocol: "file", uri: "/a", format: "csv", size_bytes: -1 }, "R-REF-12"],
    [{ protocol: "file", uri: "/a", format: "csv", checksum: "abc" }, "R-REF-13"],
    [{ protocol: "file", uri: "/a", format: "csv", metadata: null }, "R-REF-14"],
  ])("refuses %j by %s", (reference, rule) => {
    expect(() => createReference(reference as never)).toThrow(rule);
    expect(() => createReference(reference as never)).toThrow(
      expect.objectContaining({ code: "invalid_reference" }),
    );
  });

  it("names every broken rule at once", () => {
    expect(() => createReference({ protocol: "file", uri: "", format: "csv", checksum: ":" })).toThrow(
      'Invalid DataReference. Expected uri to be a text that is not blank, found "" (R-REF-03); ' +
        'Expected checksum to be "algorithm:value", found ":" (R-REF-13)',
    );
  });

  it("builds nothing that the deployed orchestrator rejects, and reading gives back what was built", () => {
    const references = fc.record({
      protocol: fc.constantFrom(...protocols),
      uri: fc.oneof(fc.constantFrom(...Object.values(good)), fc.string()),
      format: fc.oneof(fc.constantFrom(...formats), fc.string()),
      metadata: fc.dictionary(fc.string(), fc.jsonValue()),
    });
    fc.assert(
      fc.property(references, (fields) => {
        let built: DataReference;
        try {
          built = createReference(fields);
        } catch {
          return;
        }
        const verdict = judgeReply({ kind: "output", body: JSON.stringify({ output: built }) });
        expect(verdict.outcome).toBe("completes");
        expect(checkReference(JSON.parse(JSON.stringify(built))).reference).toEqual(
          JSON.parse(JSON.stringify(built)),
        );
      }),
    );
  });
});

describe("checkReference", () => {
  it("reads what the deployed orchestrator sends: all fields, the optional ones null", () => {
    const sent = {
      protocol: "file",
      uri: "/data/raw.csv",
      format: "csv",
      schema_uri: null,
      size_bytes: null,
      checksum: null,
      metadata: {},
    };
    expect(checkReference(sent).reference).toEqual({
      protocol: "file",
      uri: "/data/raw.csv",
      format: "csv",
      metadata: {},
    });
  });

  it("takes null metadata only where a request is read", () => {
    const reference = { protocol: "file", uri: "/a", format: "csv", metadata: null };
    expect(checkReference(reference).problems).toMatchObject([{ field: "metadata", rule: "R-REF-14" }]);
    expect(checkReference(reference, { null_metadata: true }).reference?.metadata).toEqual({});
  });

  it("accepts s3 without a key and any grpc uri, as the field does", () => {
    expect(checkReference({ protocol: "s3", uri: "s3://b", format: "csv" }).problems).toEqual([]);
    expect(checkReference({ protocol: "grpc", uri: "anything", format: "" }).problems).toEqual([]);
  });

  it.each([null, 1, "x", [], undefined])("objects to %j", (value) => {
    expect(checkReference(value).problems).toMatchObject([{ field: "", rule: "R-REF-01" }]);
  });
});

describe("createInlineReference", () => {
  it("carries any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const reference = createInlineReference(bytes, "binary");
        expect(new Uint8Array(Buffer.from(reference.uri, "base64"))).toEqual(bytes);
        expect(reference.size_bytes).toBe(bytes.length);
      }),
    );
  });

  it("refuses to carry nothing", () => {
    expect(() => createInlineReference("", "json")).toThrow("R-REF-03");
  });
});

describe("mediaTypeOf", () => {
  it("knows the six formats and takes the rest for bytes", () => {
    expect([...formats, "GenerateData"].map(mediaTypeOf)).toEqual([
      "application/json",
      "text/csv",
      "application/vnd.apache.parquet",
      "application/octet-stream",
      "application/octet-stream",
      "application/xml",
      "application/octet-stream",
    ]);
  });
});
