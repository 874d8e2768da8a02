/** Packs the public packages as they would be published. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The folders of all packages that are published. */
export function publicPackages(root) {
  const folders = ["packages", "."].flatMap((below) =>
    readdirSync(join(root, below)).map((name) => join(root, below, name)),
  );
  return folders
    .filter((folder) => existsSync(join(folder, "package.json")))
    .map((folder) => ({ folder, ...JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) }))
    .filter((one) => one.private !== true && one.name !== undefined && one.version !== undefined)
    .map(({ folder, name, version }) => ({ folder, name, version }));
}

/** Packs what generated projects depend on into a folder; gives name, version and file of each. */
export async function packPackages(root, destination, packages = librariesOf(root)) {
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return Promise.all(
    packages.map(async ({ folder, name, version }) => {
      const said = await runNpx(
        ["-y", packageManager, "pack", "--json", "--pack-destination", destination],
        folder,
      );
      return { name, version, file: JSON.parse(said.slice(said.indexOf("{"))).filename };
    }),
  );
}

function librariesOf(root) {
  return publicPackages(root).filter(({ name }) => name.startsWith("@aieffect/"));
}

function runNpx(args, cwd) {
  const child = spawn("npx", args, {
    cwd,
    shell: process.platform === "win32",
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(out);
      else reject(new Error(`Packing ${cwd} ended with ${code}: ${err}`));
    });
  });
}
