/** The conversions that the deployed orchestrator's validator makes, and those it refuses. */
import type { PythonValue } from "./python-json.ts";

/** White space as Python's `str.strip` sees it: Unicode's, and the four ASCII separators. */
const pythonBlank = new RegExp(`^[${unicodeSpace()}\\u001c-\\u001f]*$`);
/** An integer text: sign, digits that single underscores may part, a fraction of zeros; white space around it. */
const integerText = new RegExp(
  `^[${unicodeSpace()}]*([+-]?)([0-9](?:_?[0-9])*)(?:\\.0+)?[${unicodeSpace()}]*$`,
);
const maxDigits = 4300;
/** Leading zeros do not count, but nobody needs so many. */
const maxIntegerText = 20_000;
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
  if (typeof value !== "string" || value.length > maxIntegerText) return undefined;
  const match = integerText.exec(value);
  if (match === null) return undefined;
  const digits = (match[2] as string).replaceAll("_", "").replace(/^0+(?=.)/, "");
  if (digits.length > maxDigits) return undefined;
  const magnitude = BigInt(digits);
  return match[1] === "-" ? -magnitude : magnitude;
}

/** Unicode's `White_Space`, for a character class. JavaScript's \s has U+FEFF and lacks U+0085. */
function unicodeSpace(): string {
  return "\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
}
