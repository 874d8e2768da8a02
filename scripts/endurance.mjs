/** Runs the long proofs in full, with `--short` in a short form. Arguments go to vitest, e.g. a file's name. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const vitest = [`${root}node_modules/vitest/vitest.mjs`, "run", "--root", root, "--project", "endurance"];
const args = process.argv.slice(2).filter((arg) => arg !== "--short");
const isShort = process.argv.includes("--short");
const { status } = spawnSync(process.execPath, [...vitest, ...args], {
  cwd: root,
  env: { ...process.env, AIEFFECT_FULL: isShort ? "" : "1" },
  stdio: "inherit",
});
process.exitCode = status ?? 1;
