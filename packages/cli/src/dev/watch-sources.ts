import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { watch } from "chokidar";

/** What is looked at. */
export interface WatchOptions {
  folder: string;
  /** Files and folders below it. @default its sources */
  paths: readonly string[];
  /** Called some time after something changed, with one of the files. */
  onChange: (path: string) => void;
}

/** Changes that come together are one. */
const together_ms = 80;
const folders = ["src", "proto", "services"];
const configurations = /^(package|aieffect|tsconfig.*)\.json$|^\.env$/;
const code = /\.(ts|mts|cts|js|mjs|cjs|json|py|go|rs|java|proto|ya?ml)$/;
/** What services write, what is made of sources, and tests, which no service runs. */
const passedOver =
  /(^|[/\\])(node_modules|dist|data|coverage|__pycache__|\.git|\.aieffect)([/\\]|$)|\.(test|spec)\.\w+$/;

/** Watches the sources of a service; resolves when every change from now on is seen. */
export async function watchSources({
  folder,
  paths,
  onChange,
}: WatchOptions): Promise<{ close(): Promise<void> }> {
  const watched = paths.length > 0 ? paths.map((path) => join(folder, path)) : await sourcesOf(folder);
  const watcher = watch(watched, {
    ignoreInitial: true,
    ignored: (path, stats) => {
      const inside = relative(folder, path);
      if (passedOver.test(inside)) return true;
      return (stats?.isFile() ?? false) && !code.test(basename(path)) && !configurations.test(basename(path));
    },
  });
  let timer: NodeJS.Timeout | undefined;
  watcher.on("all", (_event, path) => {
    clearTimeout(timer);
    timer = setTimeout(() => onChange(relative(folder, path)), together_ms);
  });
  await new Promise<void>((resolve, reject) => {
    watcher.once("ready", resolve);
    watcher.once("error", reject);
  });
  return {
    close() {
      clearTimeout(timer);
      return watcher.close();
    },
  };
}

/** `src` and its like with the configuration beside them; without any, the folder itself. */
async function sourcesOf(folder: string): Promise<string[]> {
  const found = folders.map((name) => join(folder, name)).filter((path) => existsSync(path));
  if (found.length === 0) return [folder];
  const names = (await readdir(folder)).filter((name) => configurations.test(name));
  return [...found, ...names.map((name) => join(folder, name))];
}
