import { parseDuration } from "../target/manifest.ts";
import { UsageError } from "./errors.ts";

/** Milliseconds of a duration as in 500ms, 30s, 10m. @throws UsageError */
export function toDuration(name: string, text: string): number {
  if (!/^\d+(\.\d+)?\s*(ms|s|m|h)$/.test(text.trim())) {
    throw new UsageError(`Expected --${name} to be a duration, as in 500ms or 30s, found "${text}"`);
  }
  return parseDuration(text);
}

/** @throws UsageError */
export function toInteger(name: string, text: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (/^\d+$/.test(text.trim()) && value >= least && value <= most) return value;
  const range =
    most === Number.MAX_SAFE_INTEGER
      ? `an integer of at least ${least}`
      : `an integer from ${least} to ${most}`;
  throw new UsageError(`Expected --${name} to be ${range}, found "${text}"`);
}

/** @throws UsageError */
export function toPositive(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value > 0) return value;
  throw new UsageError(`Expected --${name} to be a number above 0, found "${text}"`);
}

/** `K=V`; of a header also `K: V`. @throws UsageError */
export function toPair(name: string, text: string, separator: RegExp = /=/): [key: string, value: string] {
  const at = text.search(separator);
  const key = at < 0 ? "" : text.slice(0, at).trim();
  if (key === "") throw new UsageError(`Expected --${name} as in NAME=VALUE, found "${text}"`);
  return [key, text.slice(at + 1).trim()];
}

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** A budget: times in ms, memory in bytes, anything else as it is. @throws UsageError */
export function toBudget(name: string, given: number | string): number {
  if (typeof given === "number") return given;
  const [, amount = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(given.trim()) ?? [];
  const factor = unit === "" ? 1 : units[unit];
  if (amount !== "" && factor !== undefined) return Number(amount) * factor;
  throw new UsageError(
    `Expected the budget ${name} as in 300ms, 2s, 16KiB or 50, found "${given}"; see aieffect-conformance test --help`,
  );
}
