/** Checks every Dockerfile and compose file with offline linters; exit code 1 when one has something to say. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { DCLinter } from "dclint";
import dockerfile from "dockerfile-utils";

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  encoding: "utf8",
}).split("\n");
const dockerfiles = files.filter((file) => /(^|\/)Dockerfile$/.test(file));
const composeFiles = files.filter((file) => /(^|\/)(docker-)?compose\.ya?ml$/.test(file));
const problems = [];

for (const file of dockerfiles) {
  for (const { range, message } of dockerfile.validate(readFileSync(file, "utf8"))) {
    problems.push(`${file}:${range.start.line + 1}: ${message}`);
  }
}

// What a use case binds and names is for people to find; the linter's taste in order and quotes is its own.
const off = Object.fromEntries(
  [
    "service-keys-order",
    "services-alphabetical-order",
    "top-level-properties-order",
    "service-ports-alphabetical-order",
    "no-version-field",
    "require-quotes-in-ports",
    "require-project-name-field",
    "no-unbound-port-interfaces",
    "service-dependencies-alphabetical-order",
    "service-image-require-explicit-tag",
    "no-build-and-image",
  ].map((rule) => [rule, 0]),
);
const linter = new DCLinter({ rules: off, quiet: false, debug: false, exclude: [], disableAllRules: false });
for (const { filePath, messages } of linter.lintFiles(composeFiles, false)) {
  for (const { line, message, rule } of messages) problems.push(`${filePath}:${line}: ${message} (${rule})`);
}

// The images have node and no curl or wget; a health check that calls those fails for ever.
for (const file of [...dockerfiles, ...composeFiles]) {
  const text = readFileSync(file, "utf8");
  if (/\b(curl|wget)\b/.test(text.replaceAll(/^\s*#.*$/gm, "")))
    problems.push(`${file}: calls curl or wget, which the image lacks`);
  if (!/healthcheck/i.test(text)) problems.push(`${file}: has no health check`);
  if (file.endsWith("Dockerfile") && !/^USER (?!root)/m.test(text)) problems.push(`${file}: runs as root`);
}

for (const problem of problems) console.error(problem);
console.log(
  `${dockerfiles.length} Dockerfiles, ${composeFiles.length} compose files: ${problems.length} problems`,
);
if (dockerfiles.length === 0 || composeFiles.length === 0) problems.push("nothing to check");
process.exitCode = problems.length > 0 ? 1 : 0;
