import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseProto } from "../proto/parse-proto.ts";
import { readUseCase } from "../read/read-use-case.ts";
import { connect, proto, row, writeUseCase } from "../testing/write-use-case.ts";
import type { PlanOptions } from "./export-plan.ts";
import { planExport } from "./plan-export.ts";
import { compareMessages } from "./structure.ts";

const file = "a.proto";
const parse = (text: string, readImport: (path: string) => string | undefined = () => undefined) =>
  parseProto(text, { file, readImport });

async function planOf(given: Parameters<typeof writeUseCase>[0], options?: PlanOptions) {
  return planExport(await readUseCase(await writeUseCase(given)), options);
}

const namesOf = (plan: Awaited<ReturnType<typeof planOf>>, container: string) =>
  plan.blueprint.nodes
    .find(({ container_name }) => container_name === container)
    ?.operation_signature_list.map(({ operation_signature: { input_message_name, output_message_name } }) => [
      input_message_name,
      output_message_name,
    ]);

describe("an exported proto", () => {
  it("is the source itself where it imports nothing", async () => {
    const text = `// A comment.\n${row.protos.loader}// Another one.\n`;
    const { protos } = await planOf({ protos: { loader: text } });
    expect([...protos]).toEqual([["microservice/loader1.proto", text]]);
  });

  it("has its imports inlined with their comments, and the blueprint calls messages as it does", async () => {
    const plan = await planOf({
      protos: {
        loader: `syntax = "proto3";
package wind.v1;
import "google/protobuf/empty.proto";
import "common/base.proto";
// Reads series.
service Loader {
  // Streams them.
  rpc Load(google.protobuf.Empty) returns (stream common.Series) { option deprecated = true; }
  rpc Count(wind.v1.Query) returns (common.Base.Ack);
}
message Query {
  // Where from.
  optional string path = 1 [json_name = "thePath"];
  repeated Unit units = 2 [packed = false];
  map<string, common.Series> series = 4;
  oneof limit { int32 rows = 5; common.Base.Ack ack = 6; }
  reserved 3, 9 to 11;
  reserved "old";
}
enum Unit {
  UNIT_NONE = 0;
  // Watts.
  UNIT_W = 1;
}
message Series { bool mine = 1; }
`,
      },
      files: {
        "common/base.proto": `syntax = "proto3";
package common;
import "common/deep.proto";
// Values in order.
message Series { repeated Point points = 1; }
message Base { message Ack { bool ok = 1; Kind kind = 2; enum Kind { A = 0; } } Unused never = 2; }
message Lonely { bool gone = 1; }
`,
        "common/deep.proto":
          'syntax = "proto3"; package common; message Point { double value = 1; } message Unused {}',
      },
    });
    expect(
      plan.protos.get("microservice/loader1.proto"),
    ).toBe(`// loader.proto of the use case, with what it imports and is sent.
syntax = "proto3";

package wind.v1;

// Reads series.
service Loader {
  // Streams them.
  rpc Load(Empty) returns (stream common_Series);
  rpc Count(Query) returns (Base.Ack);
}

message Query {
  // Where from.
  optional string path = 1 [json_name = "thePath"];
  repeated Unit units = 2 [packed = false];
  map<string, common_Series> series = 4;
  oneof limit {
    int32 rows = 5;
    Base.Ack ack = 6;
  }
  reserved 3, 9 to 11;
  reserved "old";
}

message Series {
  bool mine = 1;
}

enum Unit {
  UNIT_NONE = 0;
  // Watts.
  UNIT_W = 1;
}

message Empty {
}

// Values in order.
message common_Series {
  repeated Point points = 1;
}

message Base {
  message Ack {
    enum Kind {
      A = 0;
    }
    bool ok = 1;
    Base.Ack.Kind kind = 2;
  }
  Unused never = 2;
}

message Point {
  double value = 1;
}

message Unused {
}
`);
    expect(namesOf(plan, "loader1")).toEqual([
      ["Empty", "common_Series"],
      ["Query", "Base.Ack"],
    ]);
  });

  it("stays of its own syntax when what it imports is of the other", async () => {
    const two = `syntax = "proto2";
message Old {
  required int32 a = 1 [default = 5, deprecated = true];
  optional string b = 2 [default = "x"];
  repeated Kind kinds = 3;
  enum Kind { LOW = 1; HIGH = 2; }
}
`;
    const three =
      'syntax = "proto3";\nmessage New { int32 a = 1; repeated int32 b = 2; optional bool c = 3; }\n';
    const node = (syntax: string, path: string, type: string) =>
      `syntax = "${syntax}";\nimport "${path}";\nservice Node { rpc Do(${type}) returns (${type}); }\n`;
    const plan = await planOf({
      protos: {
        a: node("proto3", "two.proto", "Old"),
        b: node("proto2", "three.proto", "New"),
        c: node("proto2", "two.proto", "Old"),
      },
      files: { "proto/two.proto": two, "proto/three.proto": three },
    });
    const [a, b, c] = ["a1", "b1", "c1"].map((name) => plan.protos.get(`microservice/${name}.proto`));
    expect(a).toContain("enum Kind {\n    KIND_UNSPECIFIED = 0;\n    LOW = 1;");
    expect(a).toContain(
      "  int32 a = 1 [deprecated = true];\n  string b = 2;\n  repeated Old.Kind kinds = 3;",
    );
    expect(b).toContain("  optional int32 a = 1;\n  repeated int32 b = 2;\n  optional bool c = 3;");
    expect(c).toContain(
      '  required int32 a = 1 [default = 5, deprecated = true];\n  optional string b = 2 [default = "x"];',
    );
    for (const text of [a, b, c]) expect(parse(text ?? "").problems).toEqual([]);
  });

  it("can be read alone, and means the same, whatever it imports", () => {
    const name = fc.constantFrom("A", "B", "C", "common");
    const scalar = fc.constantFrom("int32", "string", "bytes", "bool", "fixed64");
    const own = fc.constantFrom("A", "B", "B.A", "E", ".wind.B", "wind.B.A");
    const other = fc.constantFrom("common.A", "common.C", ".common.C.A", "common.E", "common.C.E");
    const type = fc.oneof(scalar, own, other);
    const label = fc.constantFrom("", "repeated ", "optional ");
    const fields = (types: fc.Arbitrary<string>) =>
      fc
        .array(fc.tuple(label, types, fc.boolean(), fc.boolean()), { maxLength: 6 })
        .map((all) =>
          all.map(([prefix, one, isMap, inOneof], at) => {
            if (isMap) return `map<string, ${one}> f${at} = ${at + 1};`;
            return inOneof
              ? `oneof o${at} { ${one} f${at} = ${at + 1}; }`
              : `${prefix}${one} f${at} = ${at + 1};`;
          }),
        )
        .map((all) => all.join(" "));
    const common = fields(fc.oneof(scalar, fc.constantFrom("A", "C", "C.A", "E"))).map(
      (text) => `syntax = "proto3"; package common;
message A { ${text} } enum E { Z = 0; Y = 3; }
message C { message A { E e = 1; enum E { N = 0; M = 7; } } enum E { Q = 0; } ${text} }`,
    );
    const main = fc.tuple(fields(type), fields(type), own, other, name).map(
      ([a, b, input, output]) => `syntax = "proto3"; package wind; import "common.proto";
service S { rpc F(${input.replace(/\bE$/, "A")}) returns (${output.replace(/\bE$/, "A")}); rpc G(B) returns (common.C); }
message A { ${a} } enum E { X = 0; }
message B { message A { string text = 1; } ${b} }`,
    );
    fc.assert(
      fc.property(main, common, (text, imported) => {
        const given = parse(text, (path) => (path === "common.proto" ? imported : undefined));
        expect(given.problems).toEqual([]);
        const service = { folder: "a", ip_address: "a", port: 1, proto_file: file, dockerfile: undefined };
        const use_case = {
          name: "x",
          folder: "/x",
          pipeline: {
            name: "x",
            description: "",
            start_service: undefined,
            start_line: 1,
            creation_date: undefined,
          },
          services: [{ ...service, proto: given.proto as NonNullable<typeof given.proto> }],
          connections: [],
          also_connected: new Set<string>(),
          published: undefined,
        };
        const plan = planExport({ use_case, problems: [] });
        const alone = parse(plan.protos.get("microservice/a1.proto") ?? "");
        expect(alone.problems).toEqual([]);
        const [before, after] = [given.proto, alone.proto].map((one) => one?.services[0]?.rpcs ?? []);
        for (const [at, rpc] of (before ?? []).entries()) {
          const copy = after?.[at];
          for (const end of ["input_type", "output_type"] as const) {
            const difference = compareMessages(
              { proto: given.proto as never, full_name: rpc[end] ?? "?" },
              { proto: alone.proto as never, full_name: copy?.[end] ?? "?" },
            );
            expect(difference).toEqual({ structure: undefined, names: undefined });
          }
        }
        const { operation_signature } = plan.blueprint.nodes[0]?.operation_signature_list[0] ?? {};
        expect(operation_signature?.output_message_name).toBe(after?.[0]?.output);
      }),
      { numRuns: 60 },
    );
  });
});

describe("aligning", () => {
  const names = proto("rpc Train(TrainRequest) returns (Model);", {
    TrainRequest: "repeated double values = 1;",
    Model: "bytes weights = 1; int32 epochs = 2;",
  });

  it("gives the exported copy the sender's name, again and again the same, and leaves the source as it is", async () => {
    const folder = await writeUseCase({ ...row, protos: { ...row.protos, trainer: names } });
    const [once, twice] = [0, 1].map(async () => planExport(await readUseCase(folder), { align: true }));
    const plan = await once;
    expect(plan?.problems).toEqual([]);
    expect(namesOf(plan as never, "trainer1")).toEqual([["Series", "Model"]]);
    const text = plan?.protos.get("microservice/trainer1.proto");
    expect(text).toContain("rpc Train(Series) returns (Model);");
    expect(text).toContain("message Series {\n  repeated double values = 1;\n}");
    expect(text).not.toContain("TrainRequest");
    expect(plan?.protos.get("microservice/loader1.proto")).toBe(row.protos.loader);
    expect([...((await twice)?.protos ?? [])]).toEqual([...(plan?.protos ?? [])]);
    // What was aligned and becomes a source has nothing left to align.
    const next = await writeUseCase({ ...row, protos: { ...row.protos, trainer: text ?? "" } });
    expect(
      planExport(await readUseCase(next), { align: true }).protos.get("microservice/trainer1.proto"),
    ).toBe(text);
  });

  it("warns, without it, that the names differ", async () => {
    const plan = await planOf({ ...row, protos: { ...row.protos, trainer: names } });
    expect(plan.problems).toEqual([
      {
        code: "message-mismatch",
        severity: "warning",
        file: "connections.json",
        line: 19,
        message:
          "Expected both ends to call their message the same, found two names: loader:Load gives Series, trainer:Train takes TrainRequest",
        fix: "Export with --align, or rename one, if the designer does not draw the line",
      },
    ]);
    expect(namesOf(plan, "trainer1")).toEqual([["TrainRequest", "Model"]]);
  });

  it("lets the copy take another structure too, with a warning, and keeps what the proto needs elsewhere", async () => {
    const plan = await planOf(
      {
        ...row,
        protos: {
          ...row.protos,
          trainer: proto("rpc Train(Query) returns (Model); rpc Look(Query) returns (Query);", {
            Query: "int32 rows = 1;",
            Model: "bytes weights = 1; int32 epochs = 2;",
          }),
        },
      },
      { align: true },
    );
    expect(plan.problems.map(({ severity, message }) => [severity, message])).toEqual([
      [
        "warning",
        "Expected the output of one end to have the structure of the other's input, found field 1 is repeated double there and int32 here: loader:Load gives Series, trainer:Train takes Query",
      ],
    ]);
    const text = plan.protos.get("microservice/trainer1.proto");
    expect(text).toContain("rpc Train(Series) returns (Model);\n  rpc Look(Query) returns (Query);");
    expect(text).toContain("message Query {");
    expect(text).toContain("message Series {");
  });

  it("takes along what the sender's message needs, beside other messages of the same names", async () => {
    const plan = await planOf(
      {
        protos: {
          loader: proto("rpc Load(Path) returns (Series);", {
            Path: "string path = 1;",
            Series: "repeated Point points = 1; Path from = 2;",
            Point: "double value = 1;",
          }),
          trainer: proto("rpc Train(Query) returns (Model);", {
            Query: "int32 rows = 1;",
            Model: "Point centre = 1; Path path = 2;",
            Point: "string label = 1;",
            Path: "string way = 1;",
          }),
        },
        connections: connect("loader.Load -> trainer.Train"),
      },
      { align: true },
    );
    const text = plan.protos.get("microservice/trainer1.proto") ?? "";
    expect(text).toContain("message Series {\n  repeated sent_Point points = 1;\n  Path from = 2;\n}");
    expect(text.match(/message Path/g)).toHaveLength(1);
    expect(parse(text).problems).toEqual([]);
  });

  it("refuses what cannot be: another message of that name is needed, or two outputs that differ", async () => {
    const clash = planOf(
      {
        ...row,
        protos: {
          ...row.protos,
          trainer: proto("rpc Train(Query) returns (Series);", {
            Query: "int32 rows = 1;",
            Series: "bool ok = 1;",
          }),
          reporter: proto("rpc Report(Series) returns (Series);", { Series: "bool ok = 1;" }),
        },
      },
      { align: true },
    );
    await expect(clash).rejects.toMatchObject({
      problems: [
        { severity: "warning" },
        {
          code: "message-mismatch",
          severity: "error",
          file: "services/trainer/proto/trainer.proto",
          line: 2,
          message:
            "Expected Train to be free to take a message named Series, found that the proto needs another one of that name",
        },
      ],
    });
    const two = planOf(
      { ...row, connections: [...row.connections, ...connect("loader.Load -> reporter.Report")] },
      { align: true },
    );
    await expect(two).rejects.toThrow(
      "Expected all that reporter.Report is sent to be one message, found several",
    );
  });
});

describe("a proto that has to be rewritten", () => {
  const service = `import "common/base.proto";
service Loader { rpc Load(Query) returns (Series); }
message Series { optional double value = 1; }
`;
  const base = 'syntax = "proto2"; message Base { optional bool ok = 1; }';
  const why =
    "Expected messages that can be written into a new file, because services/loader/proto/loader.proto is exported rewritten (it imports others), found";
  const loader = "services/loader/proto/loader.proto";

  it.each([
    [
      "a group",
      `syntax = "proto2";\n${service}message Query {\n  repeated group Part = 1 { optional string a = 2; }\n}`,
      `${loader}:5: error [unprintable] ${why} the group Part in Query.`,
    ],
    [
      "numbers for extensions",
      `syntax = "proto2";\n${service}message Query { extensions 100 to max; }`,
      `${loader}:5: error [unprintable] ${why} numbers for extensions in Query.`,
    ],
    [
      "an edition",
      `edition = "2023";\n${service.replace("optional ", "")}message Query { string a = 1; }`,
      `${loader}: error [unprintable] ${why} Query in a file with an edition.`,
    ],
  ])("is refused with %s, and says where", async (_name, text, line) => {
    const refused = planOf({ protos: { loader: text }, files: { "common/base.proto": base } });
    await expect(refused).rejects.toThrow(line);
    // As it stands it may have it.
    const alone = text.replace('import "common/base.proto";\n', "");
    const { protos } = await planOf({ protos: { loader: alone } });
    expect(protos.get("microservice/loader1.proto")).toBe(alone);
  });

  it("is refused with an extension, wherever it is declared", async () => {
    const text = `syntax = "proto2";\n${service}message Query { extensions 100 to 199; }\nextend Query { optional int32 more = 100; }`;
    await expect(planOf({ protos: { loader: text }, files: { "common/base.proto": base } })).rejects.toThrow(
      `${why} the extension more in Query`,
    );
  });

  it("is not taken for the same where one end has a group and the other a message", async () => {
    const sender = `syntax = "proto2"; service Loader { rpc Load(Query) returns (Series); } message Query {} message Series { optional group Part = 1 { optional string a = 2; } }`;
    const receiver = `syntax = "proto2"; service Trainer { rpc Train(Series) returns (Done); } message Done {} message Series { optional Part part = 1; } message Part { optional string a = 2; }`;
    await expect(
      planOf({ protos: { loader: sender, trainer: receiver }, connections: connect("loader -> trainer") }),
    ).rejects.toThrow("found field 1 is a group there and a message here");
  });

  it("keeps what its enums reserve", async () => {
    const text = `syntax = "proto3";\n${service.replace("optional ", "")}message Query { Kind kind = 1; }\nenum Kind { A = 0; reserved 2, 5 to max; reserved "OLD"; }`;
    const { protos } = await planOf({
      protos: { loader: text },
      files: { "common/base.proto": base },
    });
    expect(protos.get("microservice/loader1.proto")).toContain(
      'enum Kind {\n  A = 0;\n  reserved 2, 5 to max;\n  reserved "OLD";\n}',
    );
  });

  it("may import programs' own options, which concern nobody else", async () => {
    const options =
      'syntax = "proto2"; import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { optional bool secret = 50001; }';
    const text = `syntax = "proto3";\n${service.replace("optional ", "")}message Query { string a = 1 [(secret) = true]; }`;
    const { protos } = await planOf({
      protos: { loader: text },
      files: { "common/base.proto": options },
    });
    expect(protos.get("microservice/loader1.proto")).toContain("message Query {\n  string a = 1;\n}");
  });
});
