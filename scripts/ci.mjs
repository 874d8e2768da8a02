/**
 * Everything that has to hold: the README's test command, then the slower checks. Ends with the
 * plain line "N passed, N failed", where every test and every check counts as one.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const results = mkdtempSync(join(tmpdir(), "aieffect-results-"));
// Tests write their results there; none of them may skip for want of something.
const env = { ...process.env, CI: "true", AIEFFECT_TEST_RESULTS: results, AIEFFECT_NO_SKIP: "1" };

const checks = [
  ["what tests need beside Node", "node scripts/install-test-servers.mjs"],
  ["tests", readmeTestCommand()],
  ["tests that take long", "npm run -s test:long"],
  ["long proofs", "npm run -s endurance"],
  ["the conformance suite proves itself", "npm run -s conformance:selftest -- --tolerant"],
  ["our services are conformant", "npm run -s conformance:lab"],
  ["lint", "npm run -s lint"],
  ["unused code and dependencies", "npm run -s knip"],
  ["consistent package files", "npm run -s sherif"],
  ["published packages", "npm run -s lint:packages"],
  ["Docker files", "npm run -s lint:docker"],
  ["created projects, through a registry", "npm run -s e2e:registry"],
  ["size of an installed service", "node scripts/install-size.mjs"],
  ["generated documents", "npm run -s generate"],
  ["no generated document differs", "git diff --exit-code -- 'packages/*/schemas' 'use-cases/*/export'"],
];

let passed = 0;
let failed = 0;
for (const [name, command] of checks) {
  console.log(`\n== ${name}: ${command}`);
  const began = performance.now();
  const ok =
    spawnSync(command, { cwd: root, env, shell: true, stdio: ["ignore", "inherit", "inherit"] }).status === 0;
  console.log(`== ${name}: ${ok ? "ok" : "FAILED"} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  if (ok) passed++;
  else failed++;
}
for (const file of readdirSync(results)) {
  const { numPassedTests, numFailedTests, numTotalTests } = JSON.parse(
    readFileSync(join(results, file), "utf8"),
  );
  console.log(`${file.replace(".json", "")}: ${numPassedTests} of ${numTotalTests} tests passed`);
  passed += numPassedTests;
  failed += numFailedTests;
}
rmSync(results, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

/** The command that README tells people to test with. */
function readmeTestCommand() {
  const readme = readFileSync(`${root}README.md`, "utf8");
  const command = /^(npm test)\b/m.exec(readme)?.[1];
  if (command === undefined) throw new Error("Expected README.md to have a line `npm test`, found none");
  return command;
}
