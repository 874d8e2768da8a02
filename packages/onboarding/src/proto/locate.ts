import protobuf from "protobufjs";

/** Lines of what a proto declares, from its tokens: the parser itself keeps none. */
export interface Locations {
  /** By name, as in `Loader`. */
  services: ReadonlyMap<string, number>;
  /** By service and name, as in `Loader.Load`; with whether a body in braces follows. */
  rpcs: ReadonlyMap<string, { line: number; has_body: boolean }>;
  /** By full name within the file, without the package. */
  messages: ReadonlyMap<string, number>;
  enums: ReadonlyMap<string, number>;
  imports: readonly { path: string; line: number }[];
  package_line: number | undefined;
  syntax: "proto2" | "proto3";
  /** It says `edition` in place of `syntax`. */
  has_edition: boolean;
  /** Lines of oneofs. */
  oneofs: readonly number[];
}

/** Finds them. The text has to have been parsed without an error. */
export function locate(text: string): Locations {
  const tokens = protobuf.tokenize(text, false);
  const services = new Map<string, number>();
  const rpcs = new Map<string, { line: number; has_body: boolean }>();
  const messages = new Map<string, number>();
  const enums = new Map<string, number>();
  const imports: { path: string; line: number }[] = [];
  const oneofs: number[] = [];
  let package_line: number | undefined;
  let syntax: Locations["syntax"] = "proto2";
  let has_edition = false;
  /** What the open braces belong to; undefined for those that give no scope of names. */
  const scopes: (string | undefined)[] = [];
  let opening: string | undefined;
  /** Whether a statement begins here: `message` can be a field's name as well. */
  let begins = true;
  for (let token = tokens.next(); token !== null; token = tokens.next()) {
    const { line } = tokens;
    const within = (name: string) => [...scopes, name].filter((scope) => scope !== undefined).join(".");
    const isStart = begins;
    begins = token === ";" || token === "{" || token === "}";
    // The tokenizer gives a quote, the text, and a quote: what is in it is no brace.
    if (token === '"' || token === "'") {
      tokens.next();
      tokens.next();
    } else if (token === "{") {
      scopes.push(opening);
      opening = undefined;
    } else if (token === "}") scopes.pop();
    else if (isStart && token === "syntax") {
      skip(tokens, "=");
      if (readText(tokens) === "proto3") syntax = "proto3";
    } else if (isStart && token === "edition" && scopes.length === 0) has_edition = true;
    else if (isStart && token === "package" && scopes.length === 0) package_line = line;
    else if (isStart && token === "import" && scopes.length === 0) {
      const path = readImport(tokens);
      if (path !== undefined) imports.push({ path, line });
    } else if (isStart && (token === "service" || token === "message" || token === "enum")) {
      const name = tokens.peek();
      if (name === null || !/^[A-Za-z_]\w*$/.test(name)) continue;
      const where = { service: services, message: messages, enum: enums }[token];
      where.set(within(name), line);
      opening = name;
    } else if (isStart && token === "oneof") oneofs.push(line);
    else if (isStart && token === "rpc") {
      const name = within(tokens.next() ?? "");
      rpcs.set(name, { line, has_body: skipToBody(tokens) });
      begins = false;
    }
  }
  return { services, rpcs, messages, enums, imports, package_line, syntax, has_edition, oneofs };
}

/**
 * The line of a name or number that a message, an enum or a service declares again, or that it
 * reserves, from what the parser says: it tells none. Undefined where that is something else.
 */
export function locateRepeated(text: string, fault: string): number | undefined {
  const [, what, scope] =
    /(?:name|id) '?(\w+)'? (?:is reserved )?in (?:\w+ )?(?:[\w.]*\.)?(\w+)$/.exec(fault) ?? [];
  if (what === undefined) return undefined;
  const isTop = / in (Root|Namespace [\w.]+)$/.test(fault);
  let wanted = fault.startsWith("duplicate") ? 2 : 1;
  const scopes: string[] = [];
  const tokens = protobuf.tokenize(text, false);
  let [before, named]: [string, string] = ["", ""];
  try {
    for (let token = tokens.next(); token !== null; token = tokens.next()) {
      if (token === '"' || token === "'") {
        tokens.next();
        tokens.next();
      } else if (token === "{") {
        // A oneof gives no scope of names.
        scopes.push(named === "" ? (scopes.at(-1) ?? "") : named);
        named = "";
      } else if (token === "}") scopes.pop();
      if (/^(message|enum|service)$/.test(before) && /^\w+$/.test(token)) named = token;
      const isDeclared = /^\d/.test(token)
        ? before === "="
        : /^(message|enum|service|rpc)$/.test(before) || tokens.peek() === "=";
      const isWithin = isTop ? scopes.length === 0 : scopes.at(-1) === scope;
      if (token === what && isDeclared && isWithin && --wanted === 0) return tokens.line;
      before = token;
    }
  } catch {
    // What comes after the fault need not even be tokens; the message stands without a line.
  }
  return undefined;
}

type Tokens = ReturnType<typeof protobuf.tokenize>;

function skip(tokens: Tokens, token: string): void {
  if (tokens.peek() === token) tokens.next();
}

/** A text in quotes: the tokenizer gives a quote, the text, and a quote, and must not be peeked into within. */
function readText(tokens: Tokens, quote = tokens.next()): string {
  if (quote !== '"' && quote !== "'") return "";
  const text = tokens.next() ?? "";
  tokens.next();
  return text;
}

function readImport(tokens: Tokens): string | undefined {
  const next = tokens.next();
  return next === "public" || next === "weak" ? readText(tokens) : readText(tokens, next);
}

/** Goes to the end of an rpc's head; whether a body begins there. */
function skipToBody(tokens: Tokens): boolean {
  for (let next = tokens.peek(); next !== null; next = tokens.peek()) {
    if (next === "{") return true;
    if (next === ";") return false;
    tokens.next();
  }
  return false;
}
