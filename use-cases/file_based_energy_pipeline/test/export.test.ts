import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fixturesOf, needs } from "@aieffect/test-support";
import { describe, expect, it } from "vitest";

const use_case = fileURLToPath(new URL("..", import.meta.url));
const deployed = fixturesOf("file_based_energy_pipeline");
const skip = needs("the deployed export of this use case", deployed);

function readJson(folder: string, file: string) {
  return JSON.parse(readFileSync(join(folder, file), "utf8"));
}

describe("the export", () => {
  it.skipIf(skip)("has the deployed blueprint's nodes and fields, with an id and a date of its own", () => {
    const { pipeline_id, creation_date, ...rest } = readJson(join(use_case, "export"), "blueprint.json");
    const {
      pipeline_id: deployed_id,
      creation_date: _,
      ...expected
    } = readJson(deployed ?? "", "blueprint.json");
    expect(rest).toEqual(expected);
    expect(pipeline_id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(pipeline_id).not.toBe(deployed_id);
    expect(creation_date).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/);
  });

  it.skipIf(skip)("has the deployed dockerinfo and connections", () => {
    const dockerinfo = readJson(join(use_case, "export"), "dockerinfo.json");
    expect(dockerinfo).toEqual(readJson(deployed ?? "", "dockerinfo.json"));
    const { service_mapping, connections } = readJson(use_case, "connections.json").pipeline;
    const expected = readJson(deployed ?? "", "connections.json").pipeline;
    expect({ service_mapping, connections }).toEqual({
      service_mapping: expected.service_mapping,
      connections: expected.connections,
    });
  });

  it("has a folder with one proto and one Dockerfile for every node, with the messages it names", () => {
    const { nodes } = readJson(join(use_case, "export"), "blueprint.json");
    const folders = readdirSync(join(use_case, "services"));
    expect(folders.map((folder) => `${folder}1`).sort()).toEqual(
      nodes.map((node: { container_name: string }) => node.container_name),
    );
    for (const { container_name, operation_signature_list } of nodes) {
      const folder = join(use_case, "services", container_name.slice(0, -1));
      expect(readdirSync(join(folder, "proto"))).toEqual([`${container_name.slice(0, -1)}.proto`]);
      expect(existsSync(join(folder, "Dockerfile"))).toBe(true);
      const proto = readFileSync(join(folder, "proto", `${container_name.slice(0, -1)}.proto`), "utf8");
      const { operation_name, input_message_name, output_message_name } =
        operation_signature_list[0].operation_signature;
      expect(proto).toContain(
        `rpc ${operation_name}(${input_message_name}) returns (${output_message_name});`,
      );
      expect(proto).toContain(`message ${input_message_name} {`);
      expect(proto).toContain(`message ${output_message_name} {`);
    }
  });
});
