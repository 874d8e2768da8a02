/** What takes the place of a secret. */
const mark = "[redacted]";

/** So many characters of a long secret's beginning give it away: a text may have been cut in the middle of it. */
const piece_length = 12;

/** What is shorter stands in every other word: taking it out would spoil the log and protect nothing. */
const shortest = 4;

/** Keeps keys out of what is logged and answered: those that are known, and what looks like one. */
export interface Secrets {
  /** These too, from now on. */
  add(secrets: Iterable<string>): void;
  /** The text without secrets, however they are spelled: plainly, in JSON, in a URL or in base64. */
  redact(text: string): string;
  /** Lines of JSON without secrets, each of them JSON still, whatever the secrets look like. */
  redactJson(lines: string): string;
}

/**
 * Knows these secrets, and the marks by which others are told: user and password in a URL, a
 * signature or token in its query, what follows `Authorization`, `Bearer` or `Basic`.
 */
export function createSecrets(known: Iterable<string>): Secrets {
  let spellings: readonly string[] = [];
  /** Those that begin alike are told apart where they stand: one may go on where another ends. */
  let byPiece: readonly [piece: string, spellings: readonly string[]][] = [];
  const add = (secrets: Iterable<string>) => {
    spellings = [...new Set([...spellings, ...[...secrets].flatMap(spellingsOf)])];
    const pieces = new Map<string, string[]>();
    for (const spelling of spellings) {
      const piece = spelling.slice(0, piece_length);
      pieces.set(piece, [...(pieces.get(piece) ?? []), spelling]);
    }
    // The longest first: one may be the beginning of another.
    byPiece = [...pieces].sort(([one], [other]) => other.length - one.length);
  };
  add(known);
  const redact = (text: string) => {
    let clean = text;
    for (const [piece, alike] of byPiece) clean = redactAlike(clean, piece, alike);
    return redactMarked(clean);
  };
  return {
    add,
    redact,
    redactJson(lines) {
      // Nearly all have nothing to hide, and are many.
      if (redact(lines) === lines) return lines;
      return lines
        .split("\n")
        .map((line) => redactLine(line, redact))
        .join("\n");
    },
  };
}

/** A key of digits stands in numbers, too, and a mark there would leave no JSON: then every value is looked at by itself. */
function redactLine(line: string, redact: Secrets["redact"]): string {
  const clean = redact(line);
  if (clean === line || isJson(clean) || !isJson(line)) return clean;
  return JSON.stringify(redactValue(JSON.parse(line), redact));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function redactValue(value: unknown, redact: Secrets["redact"]): unknown {
  if (Array.isArray(value)) return value.map((one) => redactValue(one, redact));
  if (value !== null && typeof value === "object") {
    const members = Object.entries(value).map(([name, member]) => [
      redact(name),
      typeof member === "string" && secretName.test(name) ? mark : redactValue(member, redact),
    ]);
    return Object.fromEntries(members);
  }
  const text = String(value);
  const clean = redact(text);
  return clean === text ? value : clean;
}

/**
 * A text as it may be shown: without secrets, and no longer than so many characters. In this order,
 * because a cut through a secret would leave a part of it that nothing recognises any more.
 */
export function toShown(text: string, secrets: Secrets, maxLength: number): string {
  return secrets.redact(text).slice(0, maxLength);
}

/** Takes the secrets out of an error that is about to be thrown, and out of what caused it; gives it back. */
export function withoutSecrets(error: unknown, secrets: Secrets): unknown {
  const seen = new Set<unknown>();
  for (let one = error; one instanceof Error && !seen.has(one); one = one.cause) {
    seen.add(one);
    one.message = secrets.redact(one.message);
    if (one.stack !== undefined) one.stack = secrets.redact(one.stack);
  }
  return error;
}

function spellingsOf(secret: string): string[] {
  if (secret.length < shortest) return [];
  const inJson = (text: string) => JSON.stringify(text).slice(1, -1);
  const bytes = Buffer.from(secret);
  const inUrl = encodeURIComponent(bytes.toString());
  // Some leave fewer characters as they are than JavaScript does.
  const strictly = inUrl.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
  const plain = [
    secret,
    inJson(secret),
    inJson(inJson(secret)),
    ...[inUrl, strictly, inUrl.replaceAll("%20", "+")].flatMap((spelled) => [
      spelled.replace(octet, (found) => found.toUpperCase()),
      spelled.replace(octet, (found) => found.toLowerCase()),
    ]),
  ];
  if (secret.length < piece_length) return plain;
  return [...plain, bytes.toString("base64").replace(/=+$/, ""), bytes.toString("base64url")];
}

const octet = /%[\da-f]{2}/gi;

function redactAlike(text: string, piece: string, spellings: readonly string[]): string {
  let at = text.indexOf(piece);
  if (at < 0) return text;
  let clean = "";
  let from = 0;
  for (; at >= 0; at = text.indexOf(piece, from)) {
    clean += text.slice(from, at) + mark;
    from = Math.max(...spellings.map((spelling) => endOf(spelling, text, at)));
  }
  return clean + text.slice(from);
}

/** Where a secret ends that begins there, or what was left of it after a cut. */
function endOf(secret: string, text: string, at: number): number {
  let length = Math.min(secret.length, piece_length);
  while (length < secret.length && text[at + length] === secret[length]) length++;
  // What is written on goes too, right or wrong: else whoever has a text shown to them, and knows how a
  // secret begins, would read off how far a guess is right.
  return secret.length > piece_length ? endOfWord(text, at + length) : at + length;
}

function endOfWord(text: string, from: number): number {
  end.lastIndex = from;
  return end.exec(text)?.index ?? text.length;
}

const end = /[\s"'\\<>&,;(){}[\]|]/g;

// None of these goes past a quote or a backslash, so that JSON stays whole, and none goes back over a
// text again and again, however the text is made.
const userinfo = /:\/\/[^\s/?#"'\\<>]*@/g;
const inQuery =
  /\b((?:x-(?:amz|goog)-)?(?:signature|credential|security-token)|sig|(?:access_|id_|refresh_)?token|api[_-]?key|password|passwd|(?:client_)?secret)=[^\s&"'\\<>,;)]+/gi;
// After a name in quotes only a text is taken: in JSON a number or null would not be JSON any more.
const header =
  /(authorization|x-api-key|x-amz-security-token)(\\*["']\s*[:=]\s*\[?\s*\\*["']|\s*[:=]\s*\\*["'[]*)((?:bearer|basic|digest|token)\s+)?[^\s"'\\,;&\]]+/gi;
const secretName = /^(?:authorization|x-api-key|x-amz-security-token)$/i;
const scheme = /\b(bearer|basic)(\s+)([\w.~+/-]{8,}=*)/gi;

/** What every one of them needs: most texts have nothing of it, and log lines are many. */
const anyMark = /:\/\/|=|authorization|api-key|-token|(?:bearer|basic)\s/i;

function redactMarked(text: string): string {
  if (!anyMark.test(text)) return text;
  return text
    .replace(userinfo, `://${mark}@`)
    .replace(inQuery, `$1=${mark}`)
    .replace(header, `$1$2$3${mark}`)
    .replace(scheme, redactToken);
}

/** Leaves words: "basic authentication", "a bearer token". */
function redactToken(found: string, name: string, space: string, token: string): string {
  return /\d|[a-z][A-Z]|=$/.test(token) ? `${name}${space}${mark}` : found;
}
