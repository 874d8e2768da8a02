import { resolve } from "node:path";
import type { PlanOptions } from "@aieffect/onboarding";
import { readStartFolder } from "./environment.ts";
import { UsageError } from "./usage-error.ts";

/** Options of all commands that plan an export. */
export const planFlags = {
  registry: { type: "string" },
  tag: { type: "string" },
  digest: { type: "string", multiple: true },
} as const;

/** What {@link planFlags} were given. */
interface PlanValues {
  registry?: string | undefined;
  tag?: string | undefined;
  digest?: string[] | undefined;
}

/** Relative paths start where the user called the package manager. */
export function pathOf(path: string): string {
  return resolve(readStartFolder(), path);
}

/** The one path that a command takes; without one it is the folder that the user is in. */
export function onePath(positionals: readonly string[], what: string): string {
  if (positionals.length > 1) {
    throw new UsageError(`Expected one ${what}, found ${positionals.length}: ${positionals.join(", ")}`);
  }
  return pathOf(positionals[0] ?? ".");
}

/**
 * The folder that a command is about. Without one it is the process's own: package managers run a
 * script in its package, wherever they were called.
 */
export function oneFolder(positionals: readonly string[], what: string): string {
  return positionals.length === 0 ? process.cwd() : onePath(positionals, what);
}

/** Image names as the flags say. */
export function imagesOf({
  registry,
  tag,
  digest = [],
}: PlanValues): Pick<PlanOptions, "registry" | "tag" | "digests"> {
  const digests = digest.map((one) => {
    const [, name, value] = /^(.+)=(sha256:[0-9a-f]{64})$/.exec(one) ?? [];
    if (name === undefined || value === undefined) {
      throw new UsageError(`Expected --digest to be NAME=sha256: and 64 hexadecimal digits, found "${one}"`);
    }
    return [name, value] as const;
  });
  return {
    ...(registry !== undefined && { registry }),
    ...(tag !== undefined && { tag }),
    ...(digests.length > 0 && { digests: Object.fromEntries(digests) }),
  };
}

/** One of several words. */
export function oneOf<T extends string>(
  name: string,
  given: string | undefined,
  words: readonly [T, ...T[]],
): T {
  if (given === undefined) return words[0];
  const found = words.find((word) => word === given);
  if (found === undefined)
    throw new UsageError(`Expected --${name} to be ${words.join(" or ")}, found "${given}"`);
  return found;
}

/** A port. */
export function portOf(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const port = Number(given);
  if (!/^\d+$/.test(given) || port < 1 || port > 65_535) {
    throw new UsageError(`Expected --${name} to be a port from 1 to 65535, found "${given}"`);
  }
  return port;
}
