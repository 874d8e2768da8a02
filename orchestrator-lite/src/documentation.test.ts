import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";

it("the README's program does what the README says", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, program = ""] = /```js\n([\s\S]*?)```/.exec(readme) ?? [];
  const [, printed] = /It prints `([^`]+)`/.exec(readme) ?? [];
  // Inside the package, where its own name leads to its build.
  const file = fileURLToPath(new URL(`../dist/readme-${process.pid}.mjs`, import.meta.url));
  onTestFinished(() => rm(file, { force: true }));
  await writeFile(file, program);
  const { stdout } = await promisify(execFile)(process.execPath, [file]);
  expect(stdout.trim()).toBe(printed);
});
