/** Installs the servers that some tests start, where they are missing and Debian's packages can be had. */
import { spawnSync } from "node:child_process";

const found = spawnSync("redis-server", ["--version"], { encoding: "utf8" });
if (found.status === 0) {
  console.log(found.stdout.trim());
} else {
  const isRoot = process.getuid?.() === 0;
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", "redis-server"]]) {
    const [program, ...rest] = isRoot ? ["apt-get", ...args] : ["sudo", "apt-get", ...args];
    const { status, error } = spawnSync(program, rest, {
      stdio: ["ignore", 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
    });
    if (status === 0) continue;
    console.error(
      `Installing redis-server failed: ${error?.message ?? `apt-get ended with ${status}`}; install it by hand`,
    );
    process.exit(1);
  }
}
