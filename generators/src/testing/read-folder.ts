import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Every file below a folder with its bytes, and every folder, for comparing byte for byte. */
export function readFolder(folder: string, prefix = ""): Record<string, string> {
  return Object.fromEntries(
    readdirSync(join(folder, prefix))
      .sort()
      .flatMap((name): [string, string][] => {
        const path = `${prefix}${name}`;
        if (lstatSync(join(folder, path)).isDirectory()) {
          return [[`${path}/`, "folder"], ...Object.entries(readFolder(folder, `${path}/`))];
        }
        return [[path, readFileSync(join(folder, path)).toString("base64")]];
      }),
  );
}
