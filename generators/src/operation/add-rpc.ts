import { ScaffoldError } from "../errors.ts";

/**
 * A proto with an rpc of this name, and its messages: a line each, where the alphabet puts them
 * among lines of the same kind, so that the order of adding does not matter and branches merge.
 * What is there already stays.
 * @throws ScaffoldError AE1402 where there is no service to add it to
 */
export function addRpc(proto: string, operation: string, where: string, data = "file"): string {
  const service = serviceOf(proto);
  if (service === undefined) {
    throw new ScaffoldError("AE1402", {
      where,
      message: "Expected `service <Name> { ... }` to add the rpc to, found none",
    });
  }
  const [input, output] = [`${operation}Input`, `${operation}Output`];
  let text = proto;
  if (!new RegExp(`^\\s*rpc\\s+${operation}\\s*\\(`, "m").test(service.body)) {
    const body = insertLine(
      service.body,
      `  rpc ${operation}(${input}) returns (${output});\n`,
      /^ {2}rpc (\w+)\(/,
    );
    text = text.slice(0, service.from) + body + text.slice(service.to);
  } else {
    return proto;
  }
  const fields =
    data === "protobuf"
      ? ["repeated double values = 1;", "double mean = 1; uint32 count = 2;"]
      : [reference_fields, reference_fields];
  for (const [index, message] of [input, output].entries()) {
    if (new RegExp(`^\\s*message\\s+${message}\\b`, "m").test(text)) continue;
    text = insertLine(
      text.endsWith("\n") ? text : `${text}\n`,
      `message ${message} { ${fields[index]} }\n`,
      /^message (\w+) \{.*\}$/,
    );
  }
  return text;
}

/** What travels between file services: a DataReference. */
const reference_fields = "string protocol = 1; string uri = 2; string format = 3;";

/** The service's body, from behind its first brace to before its last. */
function serviceOf(proto: string): { body: string; from: number; to: number } | undefined {
  // Braces in comments and texts do not count; they are blanked out at the same length.
  const plain = proto.replaceAll(/\/\/.*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"/g, (found) =>
    found.replaceAll(/[^\n]/g, " "),
  );
  const start = /^\s*service\s+\w+\s*\{/m.exec(plain);
  if (start === null) return undefined;
  const from = start.index + start[0].length;
  let depth = 1;
  for (let at = from; at < plain.length; at++) {
    if (plain[at] === "{") depth++;
    if (plain[at] === "}" && --depth === 0) return { body: proto.slice(from, at), from, to: at };
  }
  return undefined;
}

/** Puts a line before the first of its kind with a greater name, else behind the last of its kind, else at the end. */
function insertLine(text: string, line: string, kind: RegExp): string {
  const lines = text.split("\n");
  const key = kind.exec(line.trimEnd())?.[1] ?? "";
  const places = lines
    .map((one, index) => ({ index, name: kind.exec(one)?.[1] }))
    .filter((place): place is { index: number; name: string } => place.name !== undefined);
  const next = places.find(({ name }) => name > key);
  const last = places.at(-1);
  const at = next?.index ?? (last === undefined ? lines.length - 1 : last.index + 1);
  lines.splice(at, 0, line.trimEnd());
  return lines.join("\n");
}
