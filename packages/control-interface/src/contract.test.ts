import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const repository = fileURLToPath(new URL("../../../", import.meta.url));
const contract = await readFile(`${repository}packages/control-interface/CONTRACT.md`, "utf8");
const rules = [...contract.matchAll(/^- \*\*(R-[A-Z]+-\d\d)\*\* (.+)$/gm)].map(([, id, text]) => ({
  id,
  text,
}));

describe("CONTRACT.md", () => {
  it("gives every rule a number of its own and one sentence", () => {
    expect(rules.length).toBeGreaterThan(80);
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
    for (const { id, text } of rules) expect(`${id} ${text}`).toMatch(/\.$/);
    expect(contract.match(/^- /gm)?.length).toBe(rules.length);
  });

  it("has every rule that code and documents cite", async () => {
    const known = new Set(rules.map(({ id }) => id));
    const cited = await citations();
    expect(cited.size).toBeGreaterThan(30);
    expect([...cited].filter(([id]) => !known.has(id))).toEqual([]);
  });
});

/** Every rule number in the repository's sources, with the file that cites it. */
async function citations(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const folders = ["packages", "orchestrator-lite", "use-cases"];
  for (const folder of folders) {
    const entries = await readdir(repository + folder, { recursive: true, withFileTypes: true }).catch(
      () => [],
    );
    for (const entry of entries) {
      const path = `${entry.parentPath}/${entry.name}`;
      if (!entry.isFile() || /[\\/](node_modules|dist)[\\/]/.test(path) || !/\.(ts|md|json)$/.test(path))
        continue;
      for (const [id] of (await readFile(path, "utf8")).matchAll(/\bR-[A-Z]+-\d\d\b/g)) found.set(id, path);
    }
  }
  return found;
}
