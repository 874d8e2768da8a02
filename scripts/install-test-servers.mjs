/** Installs the programs that some tests start, where they are missing and Debian's packages can be had. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Programs by their names, any of which will do, and the package that has them. */
const programs = [
  { names: ["redis-server"], package: "redis-server" },
  // Renders the reports of the conformance harness.
  { names: ["chromium", "chromium-browser", "google-chrome"], package: "chromium" },
  // Replay what those reports print.
  { names: ["curl"], package: "curl" },
  { names: ["nc"], package: "netcat-openbsd" },
];

const folders = (process.env.PATH ?? "").split(delimiter);
const missing = programs.filter(({ names }) => {
  const found = names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((file) => existsSync(file));
  if (found !== undefined) console.log(found);
  return found === undefined;
});
if (missing.length > 0) {
  const names = missing.map((program) => program.package);
  const isRoot = process.getuid?.() === 0;
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", ...names]]) {
    const [program, ...rest] = isRoot ? ["apt-get", ...args] : ["sudo", "apt-get", ...args];
    const { status, error } = spawnSync(program, rest, {
      stdio: ["ignore", 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
    });
    if (status === 0) continue;
    console.error(
      `Installing ${names.join(", ")} failed: ${error?.message ?? `apt-get ended with ${status}`}; install it by hand`,
    );
    process.exit(1);
  }
}
