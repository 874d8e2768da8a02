import { isSeq, parseDocument } from "yaml";
import { ScaffoldError } from "../errors.ts";
import type { Tree } from "../tree/tree.ts";

/**
 * Makes folders of this pattern packages of the pnpm workspace in this tree; comments stay.
 * @param overrides where packages come from that are not published; what is there already stays
 */
export function addToWorkspace(
  tree: Tree,
  pattern: string,
  overrides: Readonly<Record<string, string>> = {},
): void {
  const text = tree.readText("pnpm-workspace.yaml");
  if (text === undefined) {
    throw new ScaffoldError("AE1401", {
      where: tree.root,
      message: "Expected a pnpm workspace, found no pnpm-workspace.yaml",
      tries: ["the workspace's root", "without --into: a project of its own"],
    });
  }
  const document = parseDocument(text);
  const packages = document.get("packages");
  if (document.errors.length > 0 || (packages !== undefined && !isSeq(packages))) {
    throw new ScaffoldError("AE1402", {
      where: "pnpm-workspace.yaml",
      message: `Expected a list of packages, found ${document.errors[0]?.message.split("\n")[0] ?? "something else"}`,
      tries: ["mend it, then the same command again"],
    });
  }
  const known = isSeq(packages) ? (packages.toJSON() as unknown[]) : [];
  const missing = Object.entries(overrides).filter(([name]) => !document.hasIn(["overrides", name]));
  if (known.includes(pattern) && missing.length === 0) return;
  if (!known.includes(pattern)) {
    if (isSeq(packages)) packages.add(pattern);
    else document.set("packages", [pattern]);
  }
  for (const [name, from] of missing) document.setIn(["overrides", name], from);
  tree.write("pnpm-workspace.yaml", document.toString());
}
