import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createOrchestrator } from "@aieffect/orchestrator-lite";
import { describe, expect, it, onTestFinished } from "vitest";
import { checkExport } from "./check/check-export.ts";
import { createJsonSchemas } from "./model/json-schemas.ts";
import { planExport } from "./plan/plan-export.ts";
import { readExport } from "./read/read-export.ts";
import { readUseCase } from "./read/read-use-case.ts";
import { toExportFiles } from "./write/export-files.ts";

const use_cases = fileURLToPath(new URL("../../../use-cases/", import.meta.url));
const schemas = fileURLToPath(new URL("../schemas/", import.meta.url));
const names = readdirSync(use_cases).filter((name) => existsSync(join(use_cases, name, "package.json")));

/** Texts by path of all that lies in a folder. */
function contents(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    entries.map(({ parentPath, name }) => {
      const file = join(parentPath, name);
      return [file.slice(folder.length + 1).replaceAll("\\", "/"), readFileSync(file, "utf8")];
    }),
  );
}

// A difference means: run `npm run generate` and commit what it writes.
describe.each(names)("use-cases/%s/export", (name) => {
  const folder = join(use_cases, name);

  it("is what its sources give, and has nothing wrong with it", async () => {
    const plan = planExport(await readUseCase(folder), { align: true });
    // Aligning is what such a warning tells of.
    expect(plan.problems.filter(({ code }) => code !== "message-mismatch")).toEqual([]);
    expect(contents(join(folder, "export"))).toEqual(Object.fromEntries(toExportFiles(plan)));
    expect(checkExport(await readExport(join(folder, "export")))).toEqual([]);
  });

  it("is accepted by the orchestrator, for this machine as well", async () => {
    const orchestrator = await createOrchestrator({ listen: false, retry_attempts: 1 });
    onTestFinished(orchestrator.close);
    for (const local of [false, true]) {
      const { blueprint, dockerinfo } = planExport(await readUseCase(folder), { local, align: true });
      const { workflow_id } = await orchestrator.submit({ blueprint, dockerinfo });
      await orchestrator.remove(workflow_id);
    }
  });
});

describe("the published schemas", () => {
  it("are what the package itself reads by", () => {
    const files = Object.entries(createJsonSchemas()).map(([name, schema]) => [
      name,
      `${JSON.stringify(schema, undefined, 2)}\n`,
    ]);
    expect(contents(schemas.replace(/[\\/]$/, ""))).toEqual(Object.fromEntries(files));
  });

  it("are referred to by every use case", () => {
    for (const name of names) {
      const { $schema } = JSON.parse(readFileSync(join(use_cases, name, "connections.json"), "utf8"));
      expect(existsSync(join(use_cases, name, $schema))).toBe(true);
    }
  });
});
