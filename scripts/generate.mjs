/** Writes every generated document: JSON Schemas of the contract, of conformance reports and of pipeline files, the exports of all use cases. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

await import("../packages/control-interface/dist/generate.js");
await import("../packages/conformance/dist/generate.js");
await import("../packages/onboarding/dist/generate.js");

const { planExport, readUseCase, writeExport } = await import("../packages/onboarding/dist/index.js");
const folder = fileURLToPath(new URL("../use-cases/", import.meta.url));
for (const entry of await readdir(folder, { withFileTypes: true })) {
  if (!entry.isDirectory()) continue;
  const use_case = join(folder, entry.name);
  // What an operation takes is a reference to what the one before gave: the designer needs one message for both.
  const plan = planExport(await readUseCase(use_case), { align: true });
  await writeExport(plan, join(use_case, "export"), { overwrite: true });
}
