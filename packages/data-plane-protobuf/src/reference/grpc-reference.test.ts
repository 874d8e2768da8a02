import type { IncomingHttpHeaders } from "node:http2";
import { checkReference } from "@aieffect/control-interface";
import { Metadata } from "@grpc/grpc-js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readIds, writeIds } from "./call-ids.ts";
import { readGrpcReference, toGrpcReference } from "./grpc-reference.ts";

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,20}$/);
const id = fc.string({ minLength: 1, maxLength: 100, unit: "grapheme" });
const port = fc.integer({ min: 1, max: 65_535 });
const host = fc.oneof(
  {
    arbitrary: fc.stringMatching(/^[a-z][a-z0-9_.-]{0,30}$/).map((text) => [text, text] as const),
    weight: 3,
  },
  fc.ipV4().map((address) => [address, address] as const),
  fc
    .ipV6()
    .filter((address) => !address.includes("%"))
    .map((address) => [`[${address}]`, address] as const),
);

describe("a reference to a result", () => {
  it("is read as it was built, and the deployed orchestrator takes it", () => {
    const chunks = fc.option(
      fc.record({ size_bytes: fc.nat(), checksum: fc.stringMatching(/^sha256:[0-9a-f]{64}$/) }),
      { nil: undefined },
    );
    fc.assert(
      fc.property(
        host,
        port,
        fc.tuple(name, name, name),
        id,
        id,
        id,
        fc.boolean(),
        chunks,
        ([written, plain], at, [pkg, service, method], workflow_id, task_id, handle, tls, inChunks) => {
          const path = `/${pkg}.${service}/${method}`;
          const address = `${written}:${at}`;
          const reference = toGrpcReference({
            address,
            path,
            workflow_id,
            task_id,
            handle,
            tls,
            chunks: inChunks,
          });
          expect(reference).toMatchObject({ protocol: "grpc", uri: address, format: method });
          expect(checkReference(reference).problems).toEqual([]);
          expect(readGrpcReference(JSON.parse(JSON.stringify(reference)), path)).toEqual({
            host: plain,
            port: at,
            path,
            ids: { workflow_id, task_id: handle },
            chunks: inChunks,
            tls,
          });
        },
      ),
    );
  });

  it("without metadata means what the bare RPC answers", () => {
    const path = "/data_generator.DataGeneratorService/GenerateData";
    const bare = { host: "peer", port: 50051, path, ids: undefined, chunks: undefined, tls: false };
    for (const uri of ["peer:50051", "dns:///peer:50051", "grpc://peer:50051"]) {
      for (const format of ["GenerateData", "data_generator.DataGeneratorService/GenerateData", path]) {
        expect(readGrpcReference({ protocol: "grpc", uri, format, metadata: {} }, path)).toEqual(bare);
        expect(readGrpcReference({ protocol: "grpc", uri, format }, path)).toEqual(bare);
      }
    }
    const metadata = { workflow_id: "w", task_id: "t" };
    expect(
      readGrpcReference({ protocol: "grpc", uri: "peer:50051", format: "GenerateData", metadata }, path),
    ).toEqual({
      ...bare,
      ids: metadata,
    });
  });

  it("says what is wrong with it", () => {
    const path = "/data_generator.DataGeneratorService/GenerateData";
    const good = { protocol: "grpc" as const, uri: "peer:50051", format: "GenerateData" };
    const wrong: [object, string][] = [
      [
        { protocol: "http" },
        "a reference of protocol grpc to data_generator.DataGeneratorService/GenerateData, found http",
      ],
      [
        { format: "AnalyzeData" },
        "a reference to data_generator.DataGeneratorService/GenerateData, found one to AnalyzeData",
      ],
      [{ uri: "peer" }, "host:port as the uri of a grpc reference (R-REF-09), found peer"],
      [{ uri: "peer:0" }, "host:port as the uri of a grpc reference (R-REF-09), found peer:0"],
      [{ uri: "peer:99999" }, "host:port as the uri of a grpc reference (R-REF-09), found peer:99999"],
      [{ uri: "[:::::]:1" }, "host:port as the uri of a grpc reference (R-REF-09), found [:::::]:1"],
      [{ uri: "peer?x#y:1" }, "host:port as the uri of a grpc reference (R-REF-09), found peer?x#y:1"],
      [{ uri: "a\0b:1" }, "host:port as the uri of a grpc reference (R-REF-09), found a"],
      // What comes before the @ may be a password.
      [
        { uri: "user:secret@peer:1" },
        "host:port as the uri of a grpc reference (R-REF-09), found ...@peer:1",
      ],
      [{ uri: "unix:/run/x" }, "host:port as the uri of a grpc reference (R-REF-09), found unix:/run/x"],
      [
        { metadata: { service: "other.Service" } },
        "a reference to data_generator.DataGeneratorService/GenerateData, found one to other.Service/GenerateData",
      ],
      [
        { metadata: { workflow_id: "w" } },
        "workflow_id and task_id in the reference's metadata, or neither, found one of them",
      ],
      [
        { metadata: { stream: "x/Y" } },
        "aieffect.dataplane.v1.Results/Read as the stream of data_generator.DataGeneratorService/GenerateData, found x/Y",
      ],
    ];
    for (const [fields, message] of wrong) {
      expect(() => readGrpcReference({ ...good, ...fields }, path)).toThrow(`Expected ${message}`);
    }
  });
});

describe("ids in the metadata of a call", () => {
  it("come as they were sent, whatever they are", () => {
    fc.assert(
      fc.property(id, id, (workflow_id, task_id) => {
        const sent = writeIds({ workflow_id, task_id }).toHttp2Headers();
        expect(readIds(Metadata.fromHttp2Headers(sent as IncomingHttpHeaders))).toEqual({
          workflow_id,
          task_id,
        });
      }),
    );
  });

  it("are both or none, and each once", () => {
    const metadata = new Metadata();
    expect(readIds(metadata)).toBeUndefined();
    metadata.set("aieffect-workflow-id", "w");
    expect(() => readIds(metadata)).toThrow(
      "Expected aieffect-task-id beside aieffect-workflow-id, found none",
    );
    metadata.set("aieffect-task-id", "t");
    metadata.add("aieffect-task-id", "u");
    expect(() => readIds(metadata)).toThrow("Expected aieffect-task-id once, found 2 of them");
  });
});
