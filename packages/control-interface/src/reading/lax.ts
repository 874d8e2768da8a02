/** The conversions that the deployed orchestrator's validator makes, and those it refuses. */
import type { PythonValue } from "./python-json.ts";

/** White space as Python's `str.strip` sees it. */
const pythonBlank = /^[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$/;
/** White space (Unicode `White_Space`) around an integer text, which is ignored. */
const around = "[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*";
const integerText = new RegExp(`^${around}([+-]?)0*((?:[0-9]|(?<=[0-9])_(?=[0-9]))*)(?:\\.0+)?${around}$`, "u");
const anyDigit = /^[^0-9]*[0-9][0-9_]*(?:\.0+)?[^0-9]*$/;
const maxDigits = 4300;
/** Floats at or beyond this are not converted: the validator goes through a 64-bit integer. */
const floatLimit = 2 ** 63;

/** Whether Python takes the text for blank. */
export function isBlank(text: string): boolean {
  return pythonBlank.test(text);
}

/** The integer a value is read as (R-READ-07), or undefined where it is refused. */
export function readInteger(value: PythonValue): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (typeof value === "number") {
    return Number.isInteger(value) && Math.abs(value) < floatLimit ? BigInt(value) : undefined;
  }
  if (typeof value !== "string" || !anyDigit.test(value)) return undefined;
  const match = integerText.exec(value);
  if (match === null) return undefined;
  const digits = (match[2] as string).replaceAll("_", "");
  if (digits.length > maxDigits) return undefined;
  const magnitude = BigInt(digits === "" ? 0 : digits);
  return match[1] === "-" ? -magnitude : magnitude;
}
