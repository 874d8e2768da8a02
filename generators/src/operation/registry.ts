import { ScaffoldError } from "../errors.ts";
import type { Tree } from "../tree/tree.ts";

/** Where the registry of a service's operations is. */
export const registryPath = "src/gen/registry.ts";

const head = `// Derived from src/operations/, one line an operation; \`aieffect add operation\` rewrites it.
`;

/**
 * The registry of the operations in this tree: one line a file of `src/operations/` that declares
 * any, so that two branches that add one each merge line by line.
 */
export function writeRegistry(tree: Tree): void {
  const lines = tree
    .list("src/operations")
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .flatMap((name) => {
      const path = `src/operations/${name}`;
      const names = [
        ...(tree.readText(path) ?? "").matchAll(/^export const (\w+)\s*=\s*defineOperation\b/gm),
      ].map(([, found]) => found);
      return names.length === 0 ? [] : [`export { ${names.join(", ")} } from "../operations/${name}";\n`];
    });
  if (lines.length === 0) {
    throw new ScaffoldError("AE1402", {
      where: "src/operations",
      message: "Expected files with `export const ... = defineOperation(...)`, found none",
    });
  }
  const text = head + lines.sort().join("");
  // Branches that were merged may have the same lines in another order.
  const there = tree.readText(registryPath);
  if (there !== undefined && isSameSet(there, text)) return;
  tree.write(registryPath, text);
}

function isSameSet(one: string, other: string): boolean {
  const sorted = (text: string) => text.split("\n").filter(Boolean).sort().join("\n");
  return sorted(one) === sorted(other);
}
