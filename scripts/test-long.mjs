/** Runs the tests that take long (`*.long.test.ts`) of all packages. Arguments go to vitest, e.g. a file's name. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const vitest = [`${root}node_modules/vitest/vitest.mjs`, "run", "--root", root];
const { status } = spawnSync(process.execPath, [...vitest, ...process.argv.slice(2)], {
  cwd: root,
  env: { ...process.env, AIEFFECT_LONG: "1" },
  stdio: "inherit",
});
process.exitCode = status ?? 1;
