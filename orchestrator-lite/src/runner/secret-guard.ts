/** Keeps a workflow's services key out of what is recorded, logged and answered. */
export interface SecretGuard {
  /** The text without the key, also where a service echoed it encoded or cut it off. */
  redact(text: string): string;
  /** Whether the key is part of the value, written as JSON. */
  isIn(value: unknown): boolean;
}

const mark = "[redacted]";
/** Shorter pieces of a key are too common to be told from ordinary text. */
const shortestPiece = 8;

const openGuard: SecretGuard = { redact: (text) => text, isIn: () => false };

/** A guard for one key; without a key it lets everything pass. */
export function createSecretGuard(key: string | undefined): SecretGuard {
  if (key === undefined) return openGuard;
  const spellings = [
    ...new Set([key, encodeURIComponent(key), JSON.stringify(key).slice(1, -1), toBase64(key)]),
  ];
  return {
    redact: (text) => spellings.reduce(redactOne, text),
    // A short key stands in ordinary text by accident; what contains it by accident must not fail.
    isIn(value) {
      if (key.length < shortestPiece) return false;
      const text = JSON.stringify(value) ?? "";
      return spellings.some((spelling) => text.includes(spelling));
    },
  };
}

/** Error texts are cut at a length, so that a key may end in the middle: every beginning of it counts. */
function redactOne(text: string, secret: string): string {
  const piece = secret.slice(0, Math.min(secret.length, shortestPiece));
  let result = "";
  let from = 0;
  for (let at = text.indexOf(piece); at !== -1; at = text.indexOf(piece, from)) {
    let end = at + piece.length;
    while (end - at < secret.length && text[end] === secret[end - at]) end++;
    result += text.slice(from, at) + mark;
    from = end;
  }
  return result + text.slice(from);
}

function toBase64(key: string): string {
  return Buffer.from(key).toString("base64").replace(/=+$/, "");
}
