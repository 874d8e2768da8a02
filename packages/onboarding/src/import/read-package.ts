import { readdir, readFile, stat } from "node:fs/promises";
import { join, posix } from "node:path";
import { unzipSync } from "fflate";
import { type Problem, ProblemsError } from "../problems/problem.ts";

/** What a portal package holds, by path within it. */
export type PackageFiles = ReadonlyMap<string, Uint8Array>;

/** What no package of a pipeline exceeds; more is an attack, or the wrong file. */
const limits = { files: 20_000, file_bytes: 16 * 2 ** 20, all_bytes: 128 * 2 ** 20 };

/** Files of a package that are read; whatever else lies there is left alone. */
const wanted = /^(blueprint\.json|dockerinfo\.json|generation_metadata\.json|microservice\/[^/]+\.proto)$/;

/** Reads a portal ZIP, or the folder of an export. @throws ProblemsError saying why it cannot be one */
export async function readPackage(source: string): Promise<PackageFiles> {
  const found = await stat(source).catch(() => undefined);
  if (found === undefined)
    throw unreadable(source, "nothing", "Give the path of a portal ZIP or of an export folder");
  return found.isDirectory() ? readFolder(source) : readZip(source, found.size);
}

async function readFolder(folder: string): Promise<PackageFiles> {
  const names = ["blueprint.json", "dockerinfo.json", "generation_metadata.json"];
  const protos = await readdir(join(folder, "microservice")).catch(() => []);
  names.push(...protos.filter((name) => name.endsWith(".proto")).map((name) => `microservice/${name}`));
  const files = new Map<string, Uint8Array>();
  for (const name of names.slice(0, limits.files)) {
    const path = join(folder, name);
    const size = (await stat(path).catch(() => undefined))?.size;
    if (size === undefined) continue;
    if (size > limits.file_bytes)
      throw unreadable(name, `${size} bytes`, "No document of a pipeline is that large");
    files.set(name, await readFile(path));
  }
  return files;
}

async function readZip(path: string, size: number): Promise<PackageFiles> {
  const shown = posix.basename(path.replaceAll("\\", "/"));
  if (size > limits.all_bytes) throw unreadable(shown, `${size} bytes`, "No portal package is that large");
  let all = 0;
  let count = 0;
  try {
    const entries = unzipSync(await readFile(path), {
      filter({ name, originalSize }) {
        if (++count > limits.files) throw new Error(`more than ${limits.files} files`);
        if (!wanted.test(rooted(name))) return false;
        all += originalSize;
        if (originalSize > limits.file_bytes || all > limits.all_bytes)
          throw new Error(`${name} of ${originalSize} bytes`);
        return true;
      },
    });
    // A size that the archive lies about shows only now.
    const sizes = Object.values(entries).map(({ length }) => length);
    if (sizes.some((length) => length > limits.file_bytes)) throw new Error("a file larger than it says");
    return new Map(Object.entries(entries).map(([name, bytes]) => [rooted(name), bytes]));
  } catch (error) {
    throw unreadable(
      shown,
      (error as Error).message,
      "Give a ZIP with blueprint.json at its root, as the portal takes it",
    );
  }
}

/** People zip the folder instead of what is in it; the path is never used to write anything. */
function rooted(name: string): string {
  const path = name.replaceAll("\\", "/").replace(/^\.\//, "");
  return /^[^/]+\/(blueprint\.json|dockerinfo\.json|generation_metadata\.json|microservice\/)/.test(path)
    ? path.slice(path.indexOf("/") + 1)
    : path;
}

function unreadable(file: string, found: string, fix: string): ProblemsError {
  const message = `Expected a portal package, found ${found}`;
  const problem: Problem = { code: "unreadable", severity: "error", file, line: undefined, message, fix };
  return new ProblemsError([problem]);
}
