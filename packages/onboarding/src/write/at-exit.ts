import { rmSync } from "node:fs";

const paths = new Set<string>();

/** Removes what is half-written when the process exits meanwhile, as by a signal that it handles. @returns no more */
export function removeAtExit(path: string): () => void {
  if (paths.size === 0) process.on("exit", removeAll);
  paths.add(path);
  return () => {
    paths.delete(path);
    if (paths.size === 0) process.off("exit", removeAll);
  };
}

function removeAll(): void {
  // Files that are just being written may still appear in a folder that is being removed.
  for (const path of paths) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}
