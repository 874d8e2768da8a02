import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fixturesOf, needs, tempFolder } from "@aieffect/test-support";
import { describe, expect, it } from "vitest";
import { planExport } from "../plan/plan-export.ts";
import { toLine } from "../problems/problem.ts";
import { readExport, readExportFiles } from "../read/read-export.ts";
import { readUseCase } from "../read/read-use-case.ts";
import { row, writeFiles, writeUseCase } from "../testing/write-use-case.ts";
import { toExportFiles } from "../write/export-files.ts";
import { writeExport } from "../write/write-export.ts";
import { checkExport } from "./check-export.ts";

/** The files of an export without a fault, with some of them changed. */
async function linesOf(change: (files: Map<string, string>) => void, options = {}): Promise<string[]> {
  const files = toExportFiles(planExport(await readUseCase(await writeUseCase(row))));
  change(files);
  return checkExport(readExportFiles(files), options).map(toLine);
}

const replaceIn = (file: string, what: string | RegExp, by: string) => (files: Map<string, string>) => {
  const text = files.get(file) ?? "";
  expect(text).toMatch(what);
  files.set(file, text.replace(what, by));
};

describe("an export", () => {
  it("of ours has nothing wrong with it, in a folder as among files", async () => {
    expect(await linesOf(() => {})).toEqual([]);
    const folder = join(await tempFolder(), "export");
    await writeExport(planExport(await readUseCase(await writeUseCase(row))), folder);
    await writeFile(join(folder, "docker-compose.yml"), "services: {}\n");
    const read = await readExport(folder);
    expect(checkExport(read)).toEqual([]);
    expect(read.blueprint?.name).toBe("Wind Park");
    expect([...read.protos.keys()]).toHaveLength(3);
  });

  const skip = needs("a deployed export", fixturesOf("portugal-node-sidecar"));
  it.skipIf(skip)("that is deployed lacks no more than the protos that the fixture is without", async () => {
    const problems = checkExport(await readExport(fixturesOf("portugal-node-sidecar") ?? ""));
    expect(problems.map(({ code, file, line }) => [code, file, line])).toEqual(
      [4, 22, 47, 72].map((line) => ["unreadable", "blueprint.json", line]),
    );
  });

  it.each<[(files: Map<string, string>) => void, ...string[]]>([
    [
      (files) => files.delete("blueprint.json"),
      "blueprint.json: error [unreadable] Expected an export to have blueprint.json, found none",
    ],
    [(files) => files.delete("dockerinfo.json"), "dockerinfo.json: error [unreadable]"],
    [(files) => files.set("blueprint.json", "{"), "blueprint.json:1: error [syntax] Expected JSON"],
    [
      (files) => files.set("blueprint.json", "{}"),
      "error [field] name: Invalid input",
      "[field] nodes: ",
      "[field] pipeline_id: ",
    ],
    [
      replaceIn("blueprint.json", '"name": "Wind', '"more": 1,\n  "name": "Wind'),
      'error [field] the document: Unrecognized key: "more"',
    ],
    [
      replaceIn("blueprint.json", /,\n {2}"type": .*,\n.*2.0"/, ""),
      "blueprint.json:1: error [field] Expected type, which the deployed orchestrator demands, found none",
      "blueprint.json:1: error [field] Expected version, which",
    ],
    [
      replaceIn("blueprint.json", '"node_type": "DataSink"', '"node_type": "MLModel"'),
      'blueprint.json:31: warning [field] Expected reporter1 to be DataSink by its connections, found "MLModel"',
    ],
    [
      replaceIn("blueprint.json", '"operation_name": "Train"', '"operation_name": "Tran"'),
      'blueprint.json:11: error [unknown-method] Expected an operation of trainer1, found "Tran"; it has Train',
    ],
    [
      replaceIn("blueprint.json", '"container_name": "trainer1"', '"container_name": "nobody"'),
      'blueprint.json:11: error [unknown-service] Expected loader1:Load to be connected to a node, found "nobody", which is none',
    ],
    [
      replaceIn("blueprint.json", '"output_message_name": "Series"', '"output_message_name": "Seris"'),
      "blueprint.json:20: error [message-mismatch] Expected output_message_name to be Series, as in microservice/loader1.proto:2, found Seris",
    ],
    [
      replaceIn("blueprint.json", '"input_message_stream": false', '"input_message_stream": true'),
      "blueprint.json:23: error [message-mismatch] Expected input_message_stream to be false, as in microservice/loader1.proto:2, found true",
    ],
    [
      replaceIn(
        "blueprint.json",
        '"container_name": "reporter1",\n      "op',
        '"container_name": "loader1",\n      "op',
      ),
      "name-clash] Expected the container loader1 once, found it again",
      "dockerinfo.json:9: warning [unknown-service] Expected containers of the blueprint, found reporter1",
    ],
    [
      replaceIn(
        "blueprint.json",
        '"connected_to": []',
        '"connected_to": [{"container_name": "loader1", "operation_signature": {"operation_name": "Load"}}]',
      ),
      "cycle] Expected connections that lead from a start to an end",
      "message-mismatch]",
      "Expected loader1 to be MLModel by its connections",
    ],
    [
      replaceIn("dockerinfo.json", '"8080"', "8080"),
      'dockerinfo.json:6: warning [field] Expected the port as a text, found the number 8080. Write "8080"',
    ],
    [
      replaceIn("dockerinfo.json", '"8080"', '"80800"'),
      "dockerinfo.json:6: error [field] docker_info_list.0.port: ",
    ],
    [
      replaceIn("dockerinfo.json", '"ip_address": "loader"', '"ip_address": "http://loader"'),
      'dockerinfo.json:5: error [name] Expected a host name or address without scheme, port or path, found "http://loader"',
    ],
    [
      replaceIn("dockerinfo.json", '"ip_address": "loader"', '"ip_address": "loader:8080"'),
      'dockerinfo.json:5: error [name] Expected a host name or address without scheme, port or path, found "loader:8080"',
    ],
    [
      replaceIn("dockerinfo.json", '"container_name": "loader1"', '"container_name": "trainer1"'),
      "dockerinfo.json:2: error [unknown-service] Expected the container loader1 of the blueprint, found it nowhere",
      "dockerinfo.json:14: error [name-clash] Expected trainer1 once, found it again",
    ],
    [
      replaceIn("dockerinfo.json", '"container_name": "loader1"', '"container_name": "other1"'),
      "[unknown-service] Expected the container loader1",
      "dockerinfo.json:4: warning [unknown-service] Expected containers of the blueprint, found other1",
    ],
    [
      (files) => files.delete("microservice/loader1.proto"),
      "blueprint.json:4: error [unreadable] Expected the proto of loader1 in the export, found no microservice/loader1.proto",
    ],
    [
      replaceIn("blueprint.json", "microservice/loader1.proto", "../../etc/passwd"),
      "blueprint.json:4: error [unreadable] Expected the proto of loader1 in the export, found no ../../etc/passwd",
    ],
    [replaceIn("microservice/loader1.proto", "rpc", "rcp"), "microservice/loader1.proto:2: error [syntax]"],
    [
      replaceIn("microservice/loader1.proto", "rpc Load", "rpc Lod"),
      'error [unknown-method] Expected an RPC of microservice/loader1.proto, found "Load"; it has Lod',
    ],
    [
      replaceIn("microservice/loader1.proto", '"proto3";', '"proto3"; import "gone.proto";'),
      "microservice/loader1.proto:1: error [import]",
    ],
    [
      replaceIn("microservice/loader1.proto", "repeated double", "repeated float"),
      "blueprint.json:11: error [message-mismatch] Expected the output of one end to have the structure of the other's input, found field 1 is repeated float there and repeated double here",
    ],
  ])("with a fault is told: case %#", async (change, ...expected) => {
    const lines = await linesOf(change);
    for (const one of expected) expect(lines.join("\n")).toContain(one);
  });

  it("is told of on one line, whatever its names are made of", async () => {
    const name = '"container_name": "loader1\\n::error::\\u001b[2J\u009b"';
    const lines = await linesOf(replaceIn("blueprint.json", '"container_name": "loader1"', name));
    expect(lines.join("")).toContain("loader1\\n::error::\\u001b[2J\\u009b");
    expect(lines.join("")).not.toMatch(/\p{Cc}/u);
  });

  it("of a strict designer is checked against its profile", async () => {
    expect(await linesOf(() => {}, { profile: "ai4eu-strict" })).toEqual([
      "microservice/loader1.proto:2: error [strict] Expected a start node to take Empty, found that rpc Load takes LoadRequest. Declare message Empty {} and let the rpc take it",
    ]);
  });

  it("that is no folder is told to have nothing", async () => {
    const lines = checkExport(await readExport(join(await tempFolder(), "gone"))).map(toLine);
    expect(lines.map((line) => line.slice(0, 36))).toEqual([
      "blueprint.json: error [unreadable] E",
      "dockerinfo.json: error [unreadable] ",
    ]);
    // Only its own JSON counts, and only protos below it.
    const folder = await writeFiles("x", { "deep/blueprint.json": "{}", "node_modules/a.proto": "" });
    expect(checkExport(await readExport(folder))).toHaveLength(2);
  });
});
