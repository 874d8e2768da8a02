import { describe, expect, it } from "vitest";
import { toLine } from "../../problems/problem.ts";
import { readUseCase } from "../../read/read-use-case.ts";
import { connect, type GivenUseCase, proto, row, writeUseCase } from "../../testing/write-use-case.ts";
import { checkUseCase } from "../check-use-case.ts";
import type { PlanOptions } from "../export-plan.ts";

async function linesOf(given: GivenUseCase, options?: PlanOptions): Promise<string[]> {
  return checkUseCase(await readUseCase(await writeUseCase(given)), options).map(toLine);
}

const any = (...names: string[]) =>
  proto(names.map((name) => `rpc ${name}(Any) returns (Any);`).join(" "), { Any: "string uri = 1;" });
const six = Object.fromEntries([..."abcdef"].map((name) => [name, any("Do")]));

describe("messages of two ends", () => {
  const ends = (output: string, input: string, more: Record<string, string> = {}) => ({
    protos: {
      a: proto("rpc A(Out) returns (Out);", { Out: output, ...more }),
      b: proto("rpc B(Out) returns (Out);", { Out: input, ...more }),
    },
    connections: connect("a.A -> b.B"),
  });
  it.each([
    ["int32 x = 1;", "int64 x = 1;", "field 1 is int32 there and int64 here"],
    ["int32 x = 1;", "int32 x = 1; bool y = 2;", "field 2 is missing there and bool here"],
    ["repeated int32 x = 1;", "int32 x = 1;", "field 1 is repeated int32 there and int32 here"],
    [
      "map<string, int32> x = 1;",
      "map<int32, int32> x = 1;",
      "field 1 is a map from string to int32 there and a map from int32 to int32 here",
    ],
    [
      "oneof o { int32 x = 1; bool y = 2; }",
      "int32 x = 1; bool y = 2;",
      "field 1 is int32 in a oneof of 1, 2 there and int32 here",
    ],
    [
      "enum E { A = 0; B = 1; } E x = 1;",
      "enum E { A = 0; } E x = 1;",
      "field 1 is an enum of 0, 1 there and an enum of 0 here",
    ],
    [
      "message In { bool y = 3; } In x = 1;",
      "message In { string y = 3; } In x = 1;",
      "field 1.3 is bool there and string here",
    ],
    [
      "message In { In x = 1; bool y = 2; } In x = 1;",
      "message In { In x = 1; } In x = 1;",
      "field 1.2 is bool there and missing here",
    ],
  ])("that differ are an error: %s, %s", async (output, input, difference) => {
    expect(await linesOf(ends(output, input))).toEqual([
      `connections.json:15: error [message-mismatch] Expected the output of one end to have the structure of the other's input, found ${difference}: a:A gives Out, b:B takes Out. Change one of the messages (services/a/proto/a.proto:2, services/b/proto/b.proto:2), or export with --align`,
    ]);
  });

  it.each([
    ["bool y = 2; int32 x = 1;", "int32 x = 1; bool y = 2;"],
    ["enum E { A = 0; B = 1; } E x = 1;", "enum F { C = 0; D = 1; } F x = 1;"],
    ["message In { In x = 1; } In x = 1;", "message Is { Is x = 1; } Is x = 1;"],
    ["map<string, Out> x = 1;", "map<string, Out> x = 1;"],
    ["optional int32 x = 1;", "int32 x = 1;"],
    ["", ""],
  ])("match by structure, whatever the order and the names of their types: %s", async (output, input) => {
    expect(await linesOf(ends(output, input))).toEqual([]);
  });

  it("with fields of other names are a warning", async () => {
    expect(
      await linesOf(ends("int32 x = 1; In in = 2;", "int32 x = 1; In into = 2;", { In: "bool y = 1;" })),
    ).toEqual([
      "connections.json:15: warning [message-mismatch] Expected fields to have the same names at both ends, found field 2 is in there and into here: a:A gives Out, b:B takes Out. Rename one, unless only numbers count for the two services",
    ]);
  });
});

describe("connections", () => {
  it("in a circle are an error for each circle, told with its way", async () => {
    const connections = connect(
      "a.Do -> b.Do",
      "b.Do -> c.Do",
      "c.Do -> b.Do",
      "c.Do -> d.Do",
      "d.Do -> e.Do",
      "e.Do -> d.Do",
      "f.Do -> f.Do",
    );
    expect(await linesOf({ protos: six, connections })).toEqual([
      "connections.json:37: error [cycle] Expected connections that lead from a start to an end, found a cycle: b:Do -> c:Do -> b:Do. Take one of its connections out",
      "connections.json:55: error [cycle] Expected connections that lead from a start to an end, found a cycle: d:Do -> e:Do -> d:Do. Take one of its connections out",
      "connections.json:67: error [cycle] Expected connections that lead from a start to an end, found a cycle: f:Do -> f:Do. Take one of its connections out",
    ]);
  });

  it("have to reach every service, and from the start if there is one", async () => {
    const connections = connect("a.Do -> b.Do", "c.Do -> b.Do", "d.Do -> e.Do");
    const alone = (file: string) =>
      `services/${file}/proto/${file}.proto:2: error [unreachable] Expected the pipeline to lead to ${file}, found no connection to or from it. Connect it in connections.json, or remove its folder`;
    expect(await linesOf({ protos: six, connections })).toEqual([alone("f")]);
    const other = (file: string) =>
      `services/${file}/proto/${file}.proto:2: error [unreachable] Expected the pipeline to lead to ${file}, found no way to it from start_service a. Connect the two, take start_service out, or make it a use case of its own`;
    expect(await linesOf({ protos: six, connections, pipeline: { start_service: "a" } })).toEqual([
      "services/c/proto/c.proto:2: warning [unreachable] Expected the pipeline to lead to c, found that it begins by itself beside start_service a, with the same inputs of the workflow. Take start_service out, if that is meant",
      other("d"),
      other("e"),
      alone("f"),
    ]);
  });

  it("that are wrong do not make their services unreachable", async () => {
    const lines = await linesOf({
      protos: { a: any("Do"), b: any("Do") },
      connections: connect("a.Do -> b.Undo"),
      pipeline: { start_service: "a" },
    });
    expect(lines).toEqual([
      'connections.json:19: error [unknown-method] Expected an RPC of services/b/proto/b.proto, found "Undo"; it has Do. Write "Do", if that is meant',
    ]);
  });

  it("do not lead to the start", async () => {
    const given = { protos: { a: any("Do"), b: any("Do") }, connections: connect("a.Do -> b.Do") };
    expect(await linesOf({ ...given, pipeline: { start_service: "b" } })).toEqual([
      "connections.json:22: error [start] Expected start_service to take no other's output, found a:Do -> b:Do. Name the service that the pipeline begins with, or take the connection out",
    ]);
  });
});

describe("names", () => {
  // Elsewhere the two folders are one.
  it.skipIf(process.platform !== "linux")(
    "that are one on some file systems, in one proto, or as images are told",
    async () => {
      const service_mapping = {
        a: { ip_address: "h", port: 1 },
        A: { ip_address: "h", port: 2 },
        b: { ip_address: "2001:db8::1", port: 1 },
        c: { ip_address: "x_-y", port: 1 },
      };
      const two = `${any("Do")}service Two { rpc Do(Any) returns (Any); }`;
      const lines = await linesOf({
        name: "x",
        protos: { a: any("Do"), A: any("Do"), b: two, c: any("Do") },
        pipeline: { service_mapping },
      });
      expect(lines).toEqual([
        'connections.json: error [name] Expected the image of c to be named with lower-case letters, digits and single separators between them, found "x-x_-y". Rename the use case\'s folder, or the ip_address of the service: the image is named after both',
        "services/a/proto/a.proto: error [name-clash] Expected a file name of its own for every container, found a1.proto for A and a. Rename one of the folders",
        "services/a/proto/a.proto: warning [name-clash] Expected one service at one address, found h:2 and h:1, which are all the image x-h. Give each service an ip_address of its own, unless they are one program",
        "services/b/proto/b.proto:4: error [name-clash] Expected the RPCs of a node to have names of their own, found Do in several services of the proto. Rename one of them: an operation is called by its name alone",
      ]);
    },
  );
});

describe("a proto", () => {
  it("without an RPC is an error", async () => {
    const protos = { a: 'syntax = "proto3";\n\nservice Node {}', b: 'syntax = "proto3";' };
    const fix =
      "Declare what the service does, as in rpc LoadData(LoadDataRequest) returns (LoadDataResponse);";
    expect(await linesOf({ protos })).toEqual([
      `services/a/proto/a.proto:3: error [no-method] Expected a service with an RPC, found none. ${fix}`,
      `services/b/proto/b.proto: error [no-method] Expected a service with an RPC, found no service. ${fix}`,
    ]);
  });

  const rich = `syntax = "proto3";
package wind;
import "google/protobuf/empty.proto";
enum Unit { W = 0; }
service One {
  rpc Do(google.protobuf.Empty) returns (Data) {}
}
service Two {
  rpc Look(Data) returns (Data);
}
message Data { Unit unit = 1; oneof o { bool x = 2; } }
`;
  it("may be what the portal takes today", async () => {
    expect(await linesOf({ protos: { a: rich } })).toEqual([]);
  });

  it("may be less than that with the profile ai4eu-strict", async () => {
    const at = (line: number, found: string, fix: string) =>
      `services/a/proto/a.proto:${line}: error [strict] Expected what the profile ai4eu-strict allows, found ${found}. ${fix}`;
    expect(await linesOf({ protos: { a: rich } }, { profile: "ai4eu-strict" })).toEqual([
      at(2, "package wind", "Take the package out"),
      at(3, 'import "google/protobuf/empty.proto"', "Declare the messages in the file itself"),
      at(4, "enum Unit", "Make its fields int32 or string"),
      at(6, "braces after rpc Do", "End the rpc with a semicolon"),
      at(8, "a second service, Two", "Put all RPCs into one service"),
      "services/a/proto/a.proto:9: error [strict] Expected a start node to take Empty, found that rpc Look takes Data. Declare message Empty {} and let the rpc take it",
    ]);
  });

  it("passes the strict profile where the start takes Empty", async () => {
    const loader = proto("rpc Load(Empty) returns (Series);", {
      Empty: "",
      Series: "repeated double values = 1;",
    });
    expect(await linesOf({ ...row, protos: { ...row.protos, loader } }, { profile: "ai4eu-strict" })).toEqual(
      [],
    );
  });
});
