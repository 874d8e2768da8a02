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
    if (token === "{") {
      scopes.push(opening);
      opening = undefined;
    } else if (token === "}") scopes.pop();
    else if (isStart && token === "syntax") {
      skip(tokens, "=");
      if (readText(tokens) === "proto3") syntax = "proto3";
    } else if (isStart && token === "package" && scopes.length === 0) package_line = line;
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
  return { services, rpcs, messages, enums, imports, package_line, syntax, oneofs };
}

type Tokens = ReturnType<typeof protobuf.tokenize>;

function skip(tokens: Tokens, token: string): void {
  if (tokens.peek() === token) tokens.next();
}

/** A text in quotes: the tokenizer gives a quote, the text, and a quote, and must not be peeked into within. */
function readText(tokens: Tokens, quote = tokens.next()): string {
  if (quote !== '"' && quote !== "'") return "";
  return tokens.next() ?? "";
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
