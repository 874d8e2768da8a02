import { stat } from "node:fs/promises";
import { join } from "node:path";

/** Whether a path is an export: a ZIP, or a folder with a blueprint and no connections. */
export async function isExport(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) return true;
  return (await isThere(join(path, "blueprint.json"))) && !(await isThere(join(path, "connections.json")));
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
