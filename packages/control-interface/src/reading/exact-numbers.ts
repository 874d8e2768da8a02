import type { DataReference } from "../reference/data-reference.ts";
import type { PythonValue } from "./python-json.ts";

/** Texts of metadata that plain values cannot hold: whoever hands the object on hands these on (R-REF-16). */
const texts = new WeakMap<object, string>();

/** Remembers how metadata was written, where its plain value lost something: large integers, or that 1.0 is no integer. */
export function rememberExactly(metadata: object, read: PythonValue): void {
  if (losesNumbers(read)) texts.set(metadata, toText(read));
}

/** The metadata of a reference as JSON, where it has numbers that the object itself lost; undefined where it has not. */
export function exactMetadata({ metadata }: Pick<DataReference, "metadata">): string | undefined {
  return metadata === undefined ? undefined : texts.get(metadata);
}

function losesNumbers(value: PythonValue): boolean {
  if (typeof value === "bigint") return BigInt(Number.MAX_SAFE_INTEGER) < (value < 0n ? -value : value);
  // Larger ones need not have been floats: plain values have no other numbers for them.
  if (typeof value === "number") return Number.isSafeInteger(value);
  if (value === null || typeof value !== "object") return false;
  return Object.values(value).some(losesNumbers);
}

function toText(value: PythonValue): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return toFloat(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(toText).join(",")}]`;
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${toText(member)}`);
  return `{${members.join(",")}}`;
}

/** NaN and Infinity become null, as JSON.stringify has it: few readers know them. */
function toFloat(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  return Number.isSafeInteger(value) ? `${value}.0` : JSON.stringify(value);
}
