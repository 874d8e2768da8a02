/** Installs the programs that some tests start, where they are missing and Debian's packages can be had. */
import { spawnSync } from "node:child_process";

/** Programs by what tells their version, and the package that has them. */
const programs = [
  { name: "redis-server", args: ["--version"], package: "redis-server" },
  // Renders the reports of the conformance harness.
  { name: "chromium", args: ["--version"], package: "chromium" },
  // Replay what those reports print.
  { name: "curl", args: ["--version"], package: "curl" },
  { name: "nc", args: ["-h"], package: "netcat-openbsd" },
];

const missing = programs.filter(({ name, args }) => {
  const { error, stdout } = spawnSync(name, args, { encoding: "utf8", timeout: 30_000 });
  if (error === undefined) console.log(`${name}: ${stdout.split("\n")[0] || "is here"}`);
  return error !== undefined;
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
