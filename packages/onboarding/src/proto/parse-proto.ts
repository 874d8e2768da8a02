import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import protobuf from "protobufjs";
import type { Problem } from "../problems/problem.ts";
import { type Locations, locate, locateRepeated } from "./locate.ts";
import type { Proto, ProtoEnum, ProtoField, ProtoMessage, ProtoService, Rpc } from "./proto.ts";

/** A proto, or why there is none. */
export type ParsedProto =
  | { proto: Proto; problems: readonly Problem[] }
  | { proto: undefined; problems: readonly Problem[] };

/** What a parser needs beside the text. */
export interface ParseOptions {
  /** How problems call the file. */
  file: string;
  /** The text of an import, by the path that is written; undefined where there is none. */
  readImport(path: string): string | undefined;
}

const require = createRequire(import.meta.url);

/** More imports than any hand-written interface has. */
const mostImports = 200;

/** Parses a proto with all that it imports. Never throws, whatever the text. */
export function parseProto(text: string, { file, readImport }: ParseOptions): ParsedProto {
  const problems: Problem[] = [];
  const root = new protobuf.Root();
  const own = parseInto(root, text, file, problems);
  if (own === undefined) return { proto: undefined, problems };
  const locations = locate(text);
  const imported = new Map<string, string>();
  const editions = new Set(locations.has_edition ? [file] : []);
  const fileOf = new Map<protobuf.ReflectionObject, string>();
  markFile(root, file, fileOf);
  const queue = locations.imports.map((one) => ({ ...one, by: file }));
  const seen = new Set<string>();
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { path, line, by } = next;
    if (seen.has(path)) continue;
    seen.add(path);
    const common = protobuf.common.get(path)?.nested;
    if (common !== undefined) {
      try {
        root.addJSON(common);
      } catch (error) {
        problems.push(notProto(by, line, `import "${path}": ${(error as Error).message}`));
      }
      markFile(root, path, fileOf);
      continue;
    }
    const found = seen.size > mostImports ? undefined : readImport(path);
    const content = found ?? shippedWithParser(path);
    if (content === undefined) {
      problems.push({
        code: "import",
        severity: "error",
        file: by,
        line,
        message: `Expected the import "${path}" beside the proto or at the use case's root, found no such file`,
        fix: "Put the file there, or take the import out",
      });
      continue;
    }
    if (found !== undefined) imported.set(path, content);
    if (parseInto(root, content, path, problems) === undefined) continue;
    markFile(root, path, fileOf);
    const inside = locate(content);
    if (inside.has_edition) editions.add(path);
    queue.push(...inside.imports.map((one) => ({ ...one, by: path })));
  }
  const prefix = own.package === undefined ? "" : `${own.package}.`;
  const messages = new Map<string, ProtoMessage>();
  const enums = new Map<string, ProtoEnum>();
  const services: ProtoService[] = [];
  walk(root, (one) => {
    const origin = fileOf.get(one) ?? file;
    const full_name = one.fullName.replace(/^\./, "");
    const local = full_name.startsWith(prefix) ? full_name.slice(prefix.length) : full_name;
    if (one instanceof protobuf.Type) {
      const line = origin === file ? locations.messages.get(local) : undefined;
      const { comment } = one;
      // The parser puts extensions among the fields, under names that no field has.
      const [extensions, fields] = [true, false].map((is) =>
        one.fieldsArray.filter(({ declaringField }) => (declaringField != null) === is),
      ) as [protobuf.Field[], protobuf.Field[]];
      messages.set(full_name, {
        full_name,
        line,
        file: origin,
        fields: fields.map(toField),
        reserved: toReserved(one.reserved),
        unprintable: [
          ...fields.filter((field) => isGroup(field)).map(({ type }) => `the group ${type}`),
          ...(one.extensions === undefined ? [] : ["numbers for extensions"]),
          ...extensions.map(({ name }) => `the extension ${name.replace(/^\./, "")}`),
        ],
        comment: comment ?? undefined,
      });
    } else if (one instanceof protobuf.Enum) {
      const comments = Object.entries(one.comments ?? {}).filter(([, comment]) => comment !== null);
      enums.set(full_name, {
        full_name,
        file: origin,
        values: { ...one.values },
        reserved: toReserved(one.reserved),
        comment: one.comment ?? undefined,
        comments: Object.fromEntries(comments) as Record<string, string>,
      });
    } else if (one instanceof protobuf.Service && origin === file) {
      services.push(toService(one, local, locations));
    }
  });
  for (const message of messages.values()) problems.push(...unknownTypes(message, messages, enums, file));
  for (const message of messages.values()) problems.push(...impossibleNumbers(message, file));
  for (const { rpcs } of services) problems.push(...rpcs.flatMap((rpc) => unknownMessages(rpc, file)));
  const { syntax, imports, package_line } = locations;
  const proto: Proto = {
    package: own.package,
    package_line,
    enum_lines: [...locations.enums],
    syntax,
    editions,
    services,
    messages,
    enums,
    imports,
    text,
    imported,
  };
  return { proto, problems };
}

/** The text of what Google publishes with protobuf and its API tools: few have a copy of their own. */
function shippedWithParser(path: string): string | undefined {
  const isShipped =
    /^google\/(protobuf\/(api|descriptor|source_context|type)|api\/(annotations|http))\.proto$/;
  return isShipped.test(path) ? readFileSync(require.resolve(`protobufjs/${path}`), "utf8") : undefined;
}

function parseInto(
  root: protobuf.Root,
  text: string,
  file: string,
  problems: Problem[],
): { package: string | undefined } | undefined {
  try {
    return {
      package:
        protobuf.parse(text, root, { keepCase: true, alternateCommentMode: true }).package ?? undefined,
    };
  } catch (error) {
    const { message } = error as Error;
    const told = /line (\d+)/.exec(message)?.[1];
    const line = told === undefined ? locateRepeated(text, message) : Number(told);
    // So the parser calls what is not there any more, and what it does not know.
    const why = message
      .replace("illegal token 'null'", "that it ends too early")
      .replace("field must be a Field", "a group in a oneof, which cannot be read here");
    problems.push(notProto(file, line, why));
    return undefined;
  }
}

function notProto(file: string, line: number | undefined, why: string): Problem {
  return {
    code: "syntax",
    severity: "error",
    file,
    line,
    message: `Expected a proto file, found what is none: ${why}`,
    fix: "Correct the line; protoc says more about it",
  };
}

/** What has no file yet has come with this one. */
function markFile(root: protobuf.Root, file: string, fileOf: Map<protobuf.ReflectionObject, string>): void {
  walk(root, (one) => {
    if (!fileOf.has(one)) fileOf.set(one, file);
  });
}

function walk(scope: protobuf.NamespaceBase, visit: (one: protobuf.ReflectionObject) => void): void {
  for (const one of scope.nestedArray) {
    visit(one);
    if (one instanceof protobuf.Namespace) walk(one, visit);
  }
}

function toField(field: protobuf.Field): ProtoField {
  const { name, id, type, repeated, parent } = field;
  return {
    name,
    number: id,
    type: resolve(parent, type) ?? type,
    key_type: field instanceof protobuf.MapField ? field.keyType : undefined,
    repeated,
    optional: field.options?.proto3_optional === true,
    // `field.required` is known only when every type of the file could be resolved.
    required: field.rule === "required",
    group: isGroup(field),
    // The parser makes a oneof of its own for every optional field.
    oneof: field.partOf === null || field.options?.proto3_optional === true ? undefined : field.partOf.name,
    options: toOptions(field.options),
    comment: field.comment ?? undefined,
  };
}

/** What a field means to others; custom options concern the programs that declare them. */
function toOptions(options: Record<string, unknown> | undefined): ProtoField["options"] {
  const known = ["deprecated", "packed", "json_name", "default"];
  const entries = Object.entries(options ?? {}).filter(([name]) => known.includes(name));
  return Object.fromEntries(entries) as ProtoField["options"];
}

/** A group is a message that ends with a tag of its own: other bytes on the wire. */
function isGroup({ parent, type }: protobuf.Field): boolean {
  // The parser's own types do not tell of it.
  const found: (protobuf.ReflectionObject & { group?: boolean }) | null | undefined = parent?.lookup(type, [
    protobuf.Type,
  ]);
  return found?.group === true;
}

function toReserved(reserved: protobuf.Type["reserved"] | undefined): ProtoMessage["reserved"] {
  return (reserved ?? []).map((one) => (typeof one === "string" ? one : [one[0] ?? 0, one[1] ?? 0]));
}

function toService(service: protobuf.Service, name: string, locations: Locations): ProtoService {
  const rpcs = service.methodsArray.map((method): Rpc => {
    const { line = 0, has_body = false } = locations.rpcs.get(`${name}.${method.name}`) ?? {};
    return {
      name: method.name,
      line,
      has_body,
      input: method.requestType,
      output: method.responseType,
      input_type: resolve(service, method.requestType),
      output_type: resolve(service, method.responseType),
      input_stream: method.requestStream === true,
      output_stream: method.responseStream === true,
      comment: method.comment ?? undefined,
    };
  });
  return { name, line: locations.services.get(name) ?? 0, comment: service.comment ?? undefined, rpcs };
}

/** The full name of a message or enum, as seen from a scope. */
function resolve(scope: protobuf.NamespaceBase | null, name: string): string | undefined {
  const found = scope?.lookup(name.replace(/^\./, ""), [protobuf.Type, protobuf.Enum]);
  return found?.fullName.replace(/^\./, "");
}

const scalars = new Set(
  "double float int32 uint32 sint32 fixed32 sfixed32 int64 uint64 sint64 fixed64 sfixed64 bool string bytes".split(
    " ",
  ),
);

function unknownTypes(
  { fields, full_name, line, file: origin }: ProtoMessage,
  messages: ReadonlyMap<string, ProtoMessage>,
  enums: ReadonlyMap<string, ProtoEnum>,
  own: string,
): Problem[] {
  return fields
    .filter(({ type }) => !scalars.has(type) && !messages.has(type) && !enums.has(type))
    .map(({ name, type }) => ({
      code: "syntax" as const,
      severity: "error" as const,
      file: origin,
      line: origin === own ? line : undefined,
      message: `Expected the type of ${full_name}.${name} to be declared, found no "${type}"`,
      fix: "Declare the message, or import the file that does",
    }));
}

/** Numbers that the wire has no room for, or that the format keeps for itself; the parser takes them all. */
function impossibleNumbers({ fields, full_name, line, file: origin }: ProtoMessage, own: string): Problem[] {
  return fields
    .filter(({ number }) => number < 1 || number > 536_870_911 || (number >= 19_000 && number <= 19_999))
    .map(({ name, number }) => ({
      code: "syntax" as const,
      severity: "error" as const,
      file: origin,
      line: origin === own ? line : undefined,
      message: `Expected the number of ${full_name}.${name} to be from 1 to 536870911 and not from 19000 to 19999, found ${number}`,
      fix: "Give the field another number",
    }));
}

function unknownMessages(
  { name, line, input, output, input_type, output_type }: Rpc,
  file: string,
): Problem[] {
  const missing = [
    input_type === undefined ? input : undefined,
    output_type === undefined ? output : undefined,
  ];
  return missing
    .filter((message) => message !== undefined)
    .map((message) => ({
      code: "syntax",
      severity: "error",
      file,
      line,
      message: `Expected the message of rpc ${name} to be declared, found no "${message}"`,
      fix: "Declare the message, or import the file that does",
    }));
}
