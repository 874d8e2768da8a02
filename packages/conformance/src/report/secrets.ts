/** A text that no report may show, and the shell variable that stands for it. */
export interface Secret {
  value: string;
  /** As in `SERVICE_API_KEY`. */
  variable: string;
}

/** A piece of bytes (one character each), or what the shell makes of a secret. */
export type Piece = string | { shell: string };

/** Keeps secrets out of what is written. */
export interface Redactor {
  /** The text with every secret replaced by `$ITS_VARIABLE`. */
  text(text: string): string;
  bytes(bytes: Buffer): Buffer;
  /** The value of a header; credentials that were made out of a secret count as one. */
  header(name: string, value: string): string;
  /** The bytes of a text (one character each), cut where a secret stands. */
  pieces(binary: string): Piece[];
  /** The same for the value of a header. */
  headerPieces(name: string, value: string): Piece[];
}

/** Shorter ones would be found everywhere; they are still kept out of the headers that carry them. */
const shortest = 4;

const credentialHeaders = /^(proxy-)?authorization$/i;

/** Makes one for these secrets. */
export function createRedactor(secrets: readonly Secret[]): Redactor {
  const forms = secrets
    .filter(({ value }) => value.length >= shortest)
    .flatMap(({ value, variable }) => {
      const bytes = Buffer.from(value);
      const shell = `$${variable}`;
      const encoded = encodeURIComponent(value);
      return [
        { form: bytes.toString("latin1"), shell },
        ...(encoded === value ? [] : [{ form: encoded, shell }]),
        { form: bytes.toString("base64"), shell: `$(printf %s "$${variable}" | base64 | tr -d '\\n')` },
      ];
    })
    // The longest first, for secrets that begin alike.
    .sort((one, other) => other.form.length - one.form.length);

  function pieces(binary: string): Piece[] {
    let all: Piece[] = [binary];
    for (const { form, shell } of forms) {
      all = all.flatMap((piece): Piece[] => {
        if (typeof piece !== "string" || !piece.includes(form)) return [piece];
        return piece.split(form).flatMap((part, at) => (at === 0 ? [part] : [{ shell }, part]));
      });
    }
    return all.filter((piece) => piece !== "");
  }

  function headerPieces(name: string, value: string): Piece[] {
    if (!credentialHeaders.test(name)) return pieces(value);
    // Scheme and credentials, and whatever separates them.
    return value.split(/([\s,]+)/).flatMap((word, at) => (at % 2 === 1 ? [word] : credential(word)));
  }

  function credential(word: string): Piece[] {
    const direct = pieces(word);
    if (direct.some((piece) => typeof piece !== "string")) return direct;
    for (const { value, variable } of secrets) {
      const made = fromSecret(word, Buffer.from(value).toString("latin1"), variable);
      if (made !== undefined) return made;
    }
    return direct;
  }

  const shown = (all: Piece[]) =>
    all.map((piece) => (typeof piece === "string" ? piece : piece.shell)).join("");
  return {
    pieces,
    headerPieces,
    header: (name, value) => shown(headerPieces(name, value)),
    bytes: (bytes) => {
      const binary = bytes.toString("latin1");
      return forms.some(({ form }) => binary.includes(form))
        ? Buffer.from(shown(pieces(binary)), "latin1")
        : bytes;
    },
    text(text) {
      const binary = Buffer.from(text).toString("latin1");
      if (!forms.some(({ form }) => binary.includes(form))) return text;
      return Buffer.from(shown(pieces(binary)), "latin1").toString();
    },
  };
}

/** How a credential that nearly is the secret is made out of it; undefined where it has nothing to do with it. */
function fromSecret(word: string, secret: string, variable: string): Piece[] | undefined {
  if (secret === "" || word === "") return undefined;
  if (word === secret) return [{ shell: `$${variable}` }];
  const decoded = /^[A-Za-z0-9+/]+=*$/.test(word) ? Buffer.from(word, "base64").toString("latin1") : "";
  if (secret.length >= shortest && decoded.includes(secret)) {
    const [before = "", after = ""] = decoded.split(secret).map((part) => part.replaceAll("'", "'\\''"));
    return [{ shell: `$(printf %s '${before}'"$${variable}"'${after}' | base64 | tr -d '\\n')` }];
  }
  if (word.toLowerCase() === secret.toLowerCase()) {
    if (word === secret.toLowerCase()) return [{ shell: `\${${variable},,}` }];
    if (word === secret.toUpperCase()) return [{ shell: `\${${variable}^^}` }];
    return [{ shell: `$(printf %s "$${variable}" | tr A-Za-z a-zA-Z)` }];
  }
  let start = 0;
  while (start < word.length && word[start] === secret[start]) start++;
  let end = 0;
  while (end < word.length - start && end < secret.length && word.at(-1 - end) === secret.at(-1 - end)) end++;
  if (start + end < Math.max(Math.min(shortest, secret.length), word.length / 2)) return undefined;
  const middle = word.slice(start, word.length - end);
  const all: Piece[] = [
    { shell: `\${${variable}:0:${start}}` },
    middle,
    { shell: `\${${variable}: -${end}}` },
  ];
  return all.filter((_, at) => (at === 0 ? start > 0 : at === 1 ? middle !== "" : end > 0));
}
