import { createTwoFilesPatch } from "diff";
import type { Change } from "./tree.ts";

const signs = { create: "+", update: "~", delete: "-" } as const;

/** One line a change: `+ src/main.ts`. */
export function toChangeList(changes: readonly Change[]): string {
  return changes.map(({ kind, path }) => `${signs[kind]} ${path}\n`).join("");
}

/** All changes as a unified diff that `git apply` and `patch -p1` take; files that are no text are named only. */
export function toDiff(changes: readonly Change[]): string {
  return changes.map(diffOf).join("");
}

function diffOf({ path, before, after }: Change): string {
  const [from, to] = [
    before === undefined ? "/dev/null" : `a/${path}`,
    after === undefined ? "/dev/null" : `b/${path}`,
  ];
  const head = `diff --git a/${path} b/${path}\n`;
  if (isBinary(before) || isBinary(after?.content)) return `${head}Binary files ${from} and ${to} differ\n`;
  const patch = createTwoFilesPatch(
    from,
    to,
    before?.toString() ?? "",
    after?.content.toString() ?? "",
    "",
    "",
    {
      context: 3,
    },
  );
  const mode = after?.executable ? "100755" : "100644";
  const created = before === undefined ? `new file mode ${mode}\n` : "";
  const deleted = after === undefined ? "deleted file mode 100644\n" : "";
  return `${head}${created}${deleted}${patch.replace(/^=+\n/m, "").replaceAll(/\t$/gm, "")}`;
}

function isBinary(bytes: Buffer | undefined): boolean {
  return bytes?.subarray(0, 8000).includes(0) ?? false;
}
