import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseProto } from "./parse-proto.ts";

const parse = (text: string, files: Record<string, string> = {}) =>
  parseProto(text, { file: "a.proto", readImport: (path) => files[path] });

describe("a proto", () => {
  it("is read with comments, rpcs over several lines, streams, bodies, nested messages and imports", () => {
    const { proto, problems } = parse(
      `// rpc Commented(A) returns (B);
syntax = "proto3";
package energy.v1;
import "common/base.proto";
import "google/protobuf/empty.proto";
/* service Not { rpc Here(A) returns (A); } */
service Loader {
  rpc
    Load (
      google.protobuf.Empty // nothing
    )
    returns (stream Reading) { option deprecated = true; }
  rpc Send(stream Reading) returns (base.Ack);
}
message Reading {
  message Inner { string message = 1; }
  repeated Inner inners = 1;
  map<string, double> values = 2;
  optional int32 count = 3;
  oneof unit { string name = 4; Kind kind = 5; }
}
enum Kind { KIND_NONE = 0; }
`,
      { "common/base.proto": 'syntax = "proto3"; package base; message Ack { bool ok = 1; }' },
    );
    expect(problems).toEqual([]);
    expect(proto?.package).toBe("energy.v1");
    expect(proto?.services).toEqual([
      {
        name: "Loader",
        line: 7,
        comment: "service Not { rpc Here(A) returns (A); }",
        rpcs: [
          {
            name: "Load",
            line: 8,
            has_body: true,
            input: "google.protobuf.Empty",
            output: "Reading",
            input_type: "google.protobuf.Empty",
            output_type: "energy.v1.Reading",
            input_stream: false,
            output_stream: true,
          },
          expect.objectContaining({
            name: "Send",
            line: 13,
            has_body: false,
            input_stream: true,
            output_type: "base.Ack",
          }),
        ],
      },
    ]);
    expect(proto?.messages.get("energy.v1.Reading")).toMatchObject({
      line: 15,
      file: "a.proto",
      fields: [
        { name: "inners", number: 1, type: "energy.v1.Reading.Inner", repeated: true, oneof: undefined },
        { name: "values", key_type: "string", type: "double" },
        { name: "count", optional: true, oneof: undefined },
        { name: "name", oneof: "unit" },
        { name: "kind", type: "energy.v1.Kind", oneof: "unit" },
      ],
    });
    expect(proto?.messages.get("base.Ack")?.file).toBe("common/base.proto");
    expect(proto?.imports).toEqual([
      { path: "common/base.proto", line: 4 },
      { path: "google/protobuf/empty.proto", line: 5 },
    ]);
  });

  it.each([
    ["syntax = 'proto3'; service S { rpc }", "syntax", 1],
    ['syntax = "proto3";\nimport "gone.proto";', "import", 2],
    ['syntax = "proto3";\nservice S {\n  rpc R(Gone) returns (Gone);\n}', "syntax", 3],
    ['syntax = "proto3";\nmessage M {\n  Gone g = 1;\n}', "syntax", 2],
    ['syntax = "proto3";\nmessage M {\n  string a = 0;\n}', "syntax", 2],
    [
      'syntax = "proto3";\nservice S {\n rpc A(T) returns (T);\n rpc A(T) returns (T);\n}\nmessage T {}',
      "syntax",
      4,
    ],
    [
      'syntax = "proto3";\nmessage O { string a = 1; }\nmessage M {\n string a = 1;\n string b = 1;\n}',
      "syntax",
      5,
    ],
    ['syntax = "proto3";\nmessage M {\n oneof k { string a = 1; }\n string a = 2;\n}', "syntax", 4],
    ['syntax = "proto3";\nmessage M {\n reserved 2;\n string a = 2;\n}', "syntax", 4],
    [
      'syntax = "proto3";\npackage a.b;\nmessage M { message T {} }\nmessage T {}\nenum T { A = 0; }',
      "syntax",
      5,
    ],
    ['syntax = "proto3";\nenum E {\n A = 0;\n B = 0;\n}', "syntax", 4],
    ['syntax = "proto3";\nservice S {\n rpc A(T', "syntax", 3],
    ['syntax = "proto2";\nmessage M {\n oneof k { group G = 1 {} }\n}', "syntax", undefined],
  ])("with a fault is told with its line: %j", (text, code, line) => {
    expect(parse(text).problems[0]).toMatchObject({ code, line, severity: "error", file: "a.proto" });
  });
});

it.each(["protobuf/descriptor", "protobuf/type", "protobuf/api", "api/annotations"])(
  "google/%s.proto needs no copy",
  (name) => {
    const text = `syntax = "proto3"; import "google/${name}.proto"; service S { rpc R(M) returns (M); } message M {}`;
    expect(parse(text).problems).toEqual([]);
    const copy = 'syntax = "proto3"; message Mine {}';
    expect(parse(text, { [`google/${name}.proto`]: copy }).proto?.messages.has("Mine")).toBe(true);
  },
);

describe("a brace in a text", () => {
  it("is none", () => {
    const { proto } = parse(
      'syntax = "proto2";\nmessage M { optional string a = 1 [default = "}"]; message N {} }\nservice S {\n  rpc R(M) returns (M);\n}',
    );
    expect(proto?.messages.get("M.N")?.line).toBe(2);
    expect(proto?.services[0]?.rpcs[0]?.line).toBe(4);
  });
});

describe("any text", () => {
  it("is a proto or a problem, never an exception", () => {
    const token = fc.constantFrom(
      ...'syntax = "proto3" ; package a . b message { } rpc F ( stream ) returns service S enum E oneof o map < string , int32 > 1 0 reserved to max extend option repeated optional group import "x.proto" "google/protobuf/empty.proto" google.protobuf Empty extensions public // /* */ \' edition "2023"'.split(
        " ",
      ),
    );
    const soup = fc.array(token, { maxLength: 40 }).map((tokens) => tokens.join(" "));
    fc.assert(
      fc.property(soup, soup, fc.boolean(), (text, other, begins) => {
        const whole = begins ? `syntax = "proto3"; import "x.proto"; ${text}` : text;
        const { proto, problems } = parse(whole, { "x.proto": other });
        expect(proto !== undefined || problems.length > 0).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    'syntax = "proto3"; package google.protobuf; message Empty {} import "google/protobuf/empty.proto";',
    `syntax = "proto3"; ${"message A { ".repeat(20_000)}`,
    'syntax = "proto3"; message A { A a = 1; } message A {}',
    'syntax = "proto3"; service S { rpc F(S) returns (S); }',
    'syntax = "proto3"; import "x.proto"; message A { B b = 1; }',
  ])("that is hostile is a problem: case %#", (text) => {
    expect(
      parse(text, { "x.proto": 'syntax = "proto3"; import "x.proto"; message A {}' }).problems,
    ).not.toEqual([]);
  });
});
