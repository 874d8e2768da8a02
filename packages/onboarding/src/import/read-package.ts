import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { crc32 } from "node:zlib";
import { unzipSync } from "fflate";
import { type Problem, ProblemsError } from "../problems/problem.ts";
import { type ReadExport, readExport, readExportFiles } from "../read/read-export.ts";

/** What no package of a pipeline exceeds; more is an attack, or the wrong file. */
const limits = { files: 20_000, file_bytes: 16 * 2 ** 20, all_bytes: 128 * 2 ** 20 };

const decoder = new TextDecoder();

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
  const sums = new Map<string, number>();
  try {
    const directory = entriesOf(archive);
    const entries = unzipSync(archive, {
      filter({ name, originalSize }) {
        const entry = directory.next().value;
        if (++count > limits.files) throw new Error(`more than ${limits.files} files`);
        if (!/\.(json|proto)$/.test(name)) return false;
        if (sums.has(name)) throw new Error(`${name} twice, and nobody knows which one counts`);
        if (entry.is_encrypted) throw new Error(`${name}, which is encrypted`);
        sums.set(name, entry.sum);
        all += originalSize;
        if (originalSize > limits.file_bytes || all > limits.all_bytes) {
          throw new Error(`${name}, which is ${originalSize} bytes long`);
        }
        return true;
      },
    });
    for (const [name, bytes] of Object.entries(entries))
      if (crc32(bytes) !== sums.get(name)) throw new Error(`${name}, which is damaged`);
    // Some programs of Windows write their own separators.
    const texts = Object.entries(entries).map(
      ([name, bytes]) => [name.replaceAll("\\", "/"), decoder.decode(bytes)] as const,
    );
    const folder = commonFolder(texts.map(([name]) => name));
    return new Map(texts.map(([name, text]) => [name.slice(folder.length), text]));
  } catch (error) {
    const fix = "Give a ZIP with blueprint.json at its root, as the portal takes it";
    throw noPackage(source, `one that cannot be read: ${(error as Error).message}`, fix);
  }
}

/** What the central directory says of each entry, beside what the library tells (PKWARE APPNOTE, 4.3.12). */
function* entriesOf(archive: Uint8Array): Generator<{ is_encrypted: boolean; sum: number }, never> {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  let end = archive.length - 22;
  while (view.getUint32(end, true) !== 0x06054b50) end--;
  for (let at = view.getUint32(end + 16, true); ; ) {
    yield { is_encrypted: (view.getUint16(at + 8, true) & 1) === 1, sum: view.getUint32(at + 16, true) };
    const lengths = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    at += lengths.reduce((sum, length) => sum + length, 46);
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
