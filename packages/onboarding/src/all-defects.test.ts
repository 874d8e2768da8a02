import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { planExport } from "./plan/plan-export.ts";
import { ProblemsError, toLine } from "./problems/problem.ts";
import { readUseCase } from "./read/read-use-case.ts";
import { connect, writeUseCase } from "./testing/write-use-case.ts";
import { writeExport } from "./write/write-export.ts";

/** What the deployed exporter passes over, all in one use case. */
const defects = {
  name: "all_defects",
  protos: {
    loader: `syntax = "proto3";
import "common/missing.proto";
service Loader {
  rpc
    Load(Query)
    returns (stream Series);
}
message Query {}
message Series { repeated double values = 1; }
`,
    cleaner: `syntax = "proto3";
service Cleaner { rpc Clean(Series) returns (Series); }
message Series { repeated double values = 1; }
`,
    trainer: `syntax = "proto3";
service Trainer {
  // rpc Old(Series) returns (Series);
  rpc Train(Series) returns (Model);
}
message Series { repeated float values = 1; }
message Model { bytes weights = 1; }
`,
    tester: `syntax = "proto3";
service Tester { rpc Test(Model) returns (Model); }
message Model { bytes weights = 1; }
`,
    tuner: `syntax = "proto3";
service Tuner { rpc Tune(Model) returns (Model); }
message Model { bytes weights = 1; }
`,
    lonely: `syntax = "proto3";
service Lonely { rpc Wait(Lonely2) returns (Lonely2); }
message Lonely2 {}
`,
    torn: `syntax = "proto3";
service Torn { rpc Tear(Nothing) returns; }
`,
    twofold: 'syntax = "proto3";\n',
    unmapped: 'syntax = "proto3";\nservice S { rpc F(M) returns (M); }\nmessage M {}\n',
  },
  files: { "services/twofold/proto/second.proto": 'syntax = "proto3";\n' },
  pipeline: {
    start_service: "loader",
    service_mapping: {
      loader: { ip_address: "loader", port: 8080 },
      cleaner: { ip_address: "cleaner", port: 8080 },
      trainer: { ip_address: "models", port: 8080 },
      tester: { ip_address: "models", port: 8080 },
      tuner: { ip_address: "tuner", port: 8080 },
      lonely: { ip_address: "lonely", port: 8080 },
      torn: { ip_address: "torn", port: 8080 },
      twofold: { ip_address: "twofold", port: 8080 },
      vanished: { ip_address: "vanished", port: 8080 },
    },
  },
  connections: connect(
    "loader.Load -> cleaner.Clean",
    "cleaner.Claen -> trainer.Train",
    "cleaner.Clean -> trainer.Train",
    "trainer.Train -> models.Test",
    "trainer.Train -> tester.Test",
    "tester.Test -> tuner.Tune",
    "tuner.Tune -> tester.Test",
    "tuner.Tune -> tunr.Tune",
    "tester.Test -> tuner.Tune",
    "tester.Test -> torn.Tear",
  ),
};

describe("a use case with everything that the deployed exporter passes over", () => {
  it("gives one report with every defect at its place, and nothing is written", async () => {
    const folder = await writeUseCase(defects);
    const read = await readUseCase(folder);
    let problems: ProblemsError["problems"] = [];
    let thrown = "";
    try {
      await writeExport(planExport(read, { local: true }), join(folder, "export"), { zip: true });
    } catch (error) {
      if (!(error instanceof ProblemsError)) throw error;
      ({ problems, message: thrown } = error);
    }
    expect(
      problems.map(({ file, line, severity, code }) => `${file}:${line ?? ""} ${severity} ${code}`),
    ).toEqual([
      "connections.json:4 error unmapped-folder",
      "connections.json:37 error missing-folder",
      // One end streams, the other does not.
      "connections.json:43 warning message-mismatch",
      "connections.json:52 error unknown-method",
      "connections.json:55 error message-mismatch",
      "connections.json:63 error ambiguous-service",
      "connections.json:73 error cycle",
      "connections.json:87 error unknown-service",
      "connections.json:91 warning duplicate",
      "docker-compose.yml: error host-port",
      "services/loader/proto/loader.proto:2 error import",
      "services/lonely/proto/lonely.proto:2 error unreachable",
      "services/torn/proto/torn.proto:2 error syntax",
      "services/twofold/proto: error proto-count",
    ]);
    // Whoever sees the error sees all of them.
    expect(thrown).toBe(problems.map(toLine).join("\n"));
    expect(existsSync(join(folder, "export"))).toBe(false);
    expect((await readdir(folder)).sort()).toEqual(["connections.json", "services"]);
  });
});

describe("what it gets wrong without a word", () => {
  it("is right here: two nodes at one address, an rpc over several lines, a stream, an import", async () => {
    const sum = "message Series { repeated double values = 1; }";
    const folder = await writeUseCase({
      protos: {
        loader: `syntax = "proto3";
import "series.proto";
// rpc Commented(Query) returns (Series);
service Loader {
  rpc
    Load(Query)
    returns (stream Series);
}
message Query {}
`,
        trainer: `syntax = "proto3"; service T { rpc Train(stream Series) returns (Series); } ${sum}`,
        tester: `syntax = "proto3"; service T { rpc Test(Series) returns (Series); } ${sum}`,
      },
      files: { "proto/series.proto": `syntax = "proto3"; ${sum}` },
      pipeline: {
        service_mapping: {
          loader: { ip_address: "loader", port: 8080 },
          trainer: { ip_address: "models", port: 8080 },
          tester: { ip_address: "models", port: 8080 },
        },
      },
      connections: connect("loader.Load -> trainer.Train", "trainer.Train -> tester.Test"),
    });
    const { blueprint, protos, problems } = planExport(await readUseCase(folder));
    expect(problems).toEqual([]);
    const operations = blueprint.nodes.flatMap((node) =>
      node.operation_signature_list.map(({ operation_signature, connected_to }) => [
        node.container_name,
        operation_signature.operation_name,
        operation_signature.input_message_stream,
        operation_signature.output_message_stream,
        connected_to.map((one) => `${one.container_name}:${one.operation_signature.operation_name}`),
      ]),
    );
    expect(operations).toEqual([
      ["loader1", "Load", false, true, ["trainer1:Train"]],
      ["tester1", "Test", false, false, []],
      ["trainer1", "Train", true, false, ["tester1:Test"]],
    ]);
    expect(protos.get("microservice/loader1.proto")).toContain(
      "message Series {\n  repeated double values = 1;\n}",
    );
    expect(protos.get("microservice/loader1.proto")).not.toContain('import "');
  });
});
