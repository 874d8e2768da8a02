/**
 * JSON as the deployed orchestrator reads it: Python's `json.loads` (R-READ-03).
 *
 * It differs from JSON.parse where it matters for a verdict: integers and floats are told apart
 * (`1e20` is no integer, `100000000000000000000` is one), NaN and Infinity are read, and the
 * encoding is guessed from the first bytes. Integers come back as `bigint`, floats as `number`.
 */
export type PythonValue =
  | null
  | boolean
  | string
  | bigint
  | number
  | PythonValue[]
  | { [key: string]: PythonValue };

/** Deeper documents are refused, as Python's recursion limit does. */
const maxDepth = 900;
/** Python refuses to convert longer integer texts. */
const maxIntegerDigits = 4300;

/** Decodes and parses a body. @throws SyntaxError saying what was found where. */
export function parsePythonJson(body: string | Uint8Array): PythonValue {
  const text = typeof body === "string" ? body.replace(/^\uFEFF/, "") : decode(body);
  return new Parser(text).document();
}

/** The same value as JSON.parse would have given it: integers become numbers. */
export function toPlainValue(value: PythonValue): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(toPlainValue);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toPlainValue(member)]));
}

/** The inverse of {@link toPlainValue} for values that never were text: whole numbers become integers. */
export function fromPlainValue(value: unknown): PythonValue {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (value === null || typeof value !== "object") return (value ?? null) as PythonValue;
  if (Array.isArray(value)) return value.map(fromPlainValue);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fromPlainValue(member)]));
}

/** Python's `json.detect_encoding`: byte order mark first, then where the zero bytes are. */
function decode(bytes: Uint8Array): string {
  const starts = (...mark: number[]) => mark.every((byte, at) => bytes[at] === byte);
  if (starts(0, 0, 0xfe, 0xff)) return decodeUtf32(bytes.subarray(4), false);
  if (starts(0xff, 0xfe, 0, 0)) return decodeUtf32(bytes.subarray(4), true);
  if (starts(0xfe, 0xff)) return decodeUtf16(bytes.subarray(2), false);
  if (starts(0xff, 0xfe)) return decodeUtf16(bytes.subarray(2), true);
  if (bytes.length >= 4) {
    if (bytes[0] === 0) return bytes[1] === 0 ? decodeUtf32(bytes, false) : decodeUtf16(bytes, false);
    if (bytes[1] === 0) {
      return bytes[2] === 0 && bytes[3] === 0 ? decodeUtf32(bytes, true) : decodeUtf16(bytes, true);
    }
  } else if (bytes.length === 2) {
    if (bytes[0] === 0) return decodeUtf16(bytes, false);
    if (bytes[1] === 0) return decodeUtf16(bytes, true);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SyntaxError("Expected UTF-8, found bytes that are not", { cause });
  }
}

function decodeUtf16(bytes: Uint8Array, littleEndian: boolean): string {
  if (bytes.length % 2 !== 0) throw new SyntaxError("Expected UTF-16, found an odd number of bytes");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 2) {
    text += String.fromCharCode(view.getUint16(at, littleEndian));
  }
  return text;
}

function decodeUtf32(bytes: Uint8Array, littleEndian: boolean): string {
  if (bytes.length % 4 !== 0) throw new SyntaxError("Expected UTF-32, found a cut-off character");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    const point = view.getUint32(at, littleEndian);
    if (point > 0x10ffff) throw new SyntaxError("Expected UTF-32, found a number that is no character");
    text += String.fromCodePoint(point);
  }
  return text;
}

const numberToken = /(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
const literals: [string, PythonValue][] = [
  ["null", null],
  ["true", true],
  ["false", false],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
];
const escapes: Record<string, string> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class Parser {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  document(): PythonValue {
    this.#space();
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) this.#fail("the end of the document");
    return value;
  }

  #value(depth: number): PythonValue {
    if (depth > maxDepth) this.#fail(`at most ${maxDepth} levels`);
    const first = this.#text[this.#at];
    if (first === "{") return this.#object(depth);
    if (first === "[") return this.#array(depth);
    if (first === '"') return this.#string();
    for (const [word, value] of literals) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    return this.#number();
  }

  #object(depth: number): PythonValue {
    const members = new Map<string, PythonValue>();
    this.#at++;
    this.#space();
    if (this.#take("}")) return {};
    for (;;) {
      if (this.#text[this.#at] !== '"') this.#fail("a key in double quotes");
      const key = this.#string();
      this.#space();
      if (!this.#take(":")) this.#fail('":"');
      this.#space();
      members.set(key, this.#value(depth + 1));
      this.#space();
      // fromEntries defines own members, so that a key `__proto__` is data like any other.
      if (this.#take("}")) return Object.fromEntries(members);
      if (!this.#take(",")) this.#fail('"," or "}"');
      this.#space();
    }
  }

  #array(depth: number): PythonValue {
    const members: PythonValue[] = [];
    this.#at++;
    this.#space();
    if (this.#take("]")) return members;
    for (;;) {
      members.push(this.#value(depth + 1));
      this.#space();
      if (this.#take("]")) return members;
      if (!this.#take(",")) this.#fail('"," or "]"');
      this.#space();
    }
  }

  #string(): string {
    let value = "";
    let from = ++this.#at;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(code)) this.#fail("the end of a string");
      if (code < 0x20) this.#fail("no control character in a string");
      if (code === 0x22) {
        value += this.#text.slice(from, this.#at++);
        return value;
      }
      if (code !== 0x5c) {
        this.#at++;
        continue;
      }
      value += this.#text.slice(from, this.#at) + this.#escape();
      from = this.#at;
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? "";
    if (letter === "u") {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail("\\u and four hexadecimal digits");
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const character = escapes[letter];
    if (character === undefined) this.#fail("an escape that JSON knows");
    this.#at += 2;
    return character as string;
  }

  #number(): PythonValue {
    numberToken.lastIndex = this.#at;
    const match = numberToken.exec(this.#text);
    if (match === null) this.#fail("a JSON value");
    const [token, integer, fraction, exponent] = match as RegExpExecArray;
    this.#at += token.length;
    if (fraction !== undefined || exponent !== undefined) return Number(token);
    if ((integer as string).length > maxIntegerDigits) this.#fail(`at most ${maxIntegerDigits} digits`);
    return BigInt(integer as string);
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #fail(expected: string): never {
    const found = this.#text.slice(this.#at, this.#at + 12);
    throw new SyntaxError(
      `Expected ${expected} at character ${this.#at}, found ${found === "" ? "the end" : JSON.stringify(found)}`,
    );
  }
}
