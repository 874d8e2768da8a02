import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { unzipSync } from "fflate";
import { type Problem, ProblemsError } from "../problems/problem.ts";
import { type ReadExport, readExport, readExportFiles } from "../read/read-export.ts";

/** What no package of a pipeline exceeds; more is an attack, or the wrong file. */
const limits = { files: 20_000, file_bytes: 16 * 2 ** 20, all_bytes: 128 * 2 ** 20 };

/** Reads a portal ZIP, or the folder of an export. @throws ProblemsError where it is neither */
export async function readPackage(source: string): Promise<ReadExport> {
  const found = await stat(source).catch(() => undefined);
  if (found === undefined) {
    throw noPackage(source, "nothing", "Give the path of a portal ZIP or of an export folder");
  }
  if (found.isDirectory()) return readExport(source);
  if (found.size > limits.all_bytes) {
    throw noPackage(source, `${found.size} bytes`, "No portal package is that large");
  }
  return readExportFiles(readZip(await readFile(source), source));
}

/** Texts of an archive by path; nothing of it is written anywhere, so that its paths can do no harm. */
export function readZip(archive: Uint8Array, source: string): Map<string, string> {
  let all = 0;
  let count = 0;
  try {
    const entries = unzipSync(archive, {
      filter({ name, originalSize }) {
        if (++count > limits.files) throw new Error(`more than ${limits.files} files`);
        if (!/\.(json|proto)$/.test(name)) return false;
        all += originalSize;
        if (originalSize > limits.file_bytes || all > limits.all_bytes) {
          throw new Error(`${name}, which is ${originalSize} bytes long`);
        }
        return true;
      },
    });
    const folder = commonFolder(Object.keys(entries));
    const decoder = new TextDecoder();
    return new Map(
      Object.entries(entries).map(([name, bytes]) => [name.slice(folder.length), decoder.decode(bytes)]),
    );
  } catch (error) {
    const fix = "Give a ZIP with blueprint.json at its root, as the portal takes it";
    throw noPackage(source, `one that cannot be read: ${(error as Error).message}`, fix);
  }
}

/** People zip the folder instead of what is in it. */
function commonFolder(names: readonly string[]): string {
  if (names.includes("blueprint.json")) return "";
  const blueprint = names.find((name) => /^[^/]+\/blueprint\.json$/.test(name));
  return blueprint === undefined ? "" : blueprint.slice(0, blueprint.indexOf("/") + 1);
}

function noPackage(source: string, found: string, fix: string): ProblemsError {
  const message = `Expected a portal package, found ${found}`;
  const problem: Problem = {
    code: "unreadable",
    severity: "error",
    file: basename(source),
    line: undefined,
    message,
    fix,
  };
  return new ProblemsError([problem]);
}
