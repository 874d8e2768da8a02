import type { Proto, ProtoEnum, ProtoField, ProtoMessage, Rpc } from "./proto.ts";

/** A top-level message or enum with all that is nested in it, and how the printed file calls it. */
export interface Unit {
  /** The proto that knows it. */
  proto: Proto;
  /** Its full name there. */
  top: string;
  /** Without a package. */
  name: string;
  /** It is not printed, because a unit of the same name and structure is. @default false */
  is_alias?: boolean;
}

/** A message with the proto that knows it. */
export interface MessageOf {
  proto: Proto;
  full_name: string;
}

/** What a printed file has in it. */
export interface ProtoFile {
  /** Whose services, package and syntax it has. */
  proto: Proto;
  /** The comment that it begins with. */
  head: string;
  /** In the order in which they are printed. */
  units: readonly Unit[];
  /** What rpcs take instead of their own input, by name. */
  inputs: ReadonlyMap<string, MessageOf>;
}

/** The top-level message or enum that a type is, or is nested in. */
export function topOf({ messages }: Proto, full_name: string): string {
  for (let name = full_name; ; ) {
    const parent = name.slice(0, Math.max(name.lastIndexOf("."), 0));
    if (!messages.has(parent)) return name;
    name = parent;
  }
}

/** How a file calls a message, without its package. @throws Error for one that it has not */
export function nameIn(units: readonly Unit[], { proto, full_name }: MessageOf): string {
  const top = topOf(proto, full_name);
  const unit = units.find((one) => one.proto === proto && one.top === top);
  if (unit === undefined) throw new Error(`Expected the file to have ${full_name}, found no such message`);
  return unit.name + full_name.slice(top.length);
}

/** The two messages of an rpc, as a file calls them. */
export function signatureIn(
  { proto, units, inputs }: ProtoFile,
  rpc: Rpc,
): { input: string; output: string } {
  const own = (type: string | undefined, spelled: string) =>
    type === undefined ? spelled : nameIn(units, { proto, full_name: type });
  const other = inputs.get(rpc.name);
  return {
    input: other === undefined ? own(rpc.input_type, rpc.input) : nameIn(units, other),
    output: own(rpc.output_type, rpc.output),
  };
}

/** Writes a proto file. */
export function printProto(file: ProtoFile): string {
  const { proto, head, units } = file;
  const blocks = [
    `${toComment(head)}syntax = "${proto.syntax}";`,
    ...(proto.package === undefined ? [] : [`package ${proto.package};`]),
    ...proto.services.map(({ name, comment, rpcs }) => {
      const lines = rpcs.map((rpc) => {
        const { input, output } = signatureIn(file, rpc);
        const [takes, gives] = [rpc.input_stream, rpc.output_stream].map((is) => (is ? "stream " : ""));
        return `${toComment(rpc.comment)}rpc ${rpc.name}(${takes}${input}) returns (${gives}${output});`;
      });
      return `${toComment(comment)}service ${name} {\n${indent(lines)}}`;
    }),
    ...units.filter(({ is_alias }) => !is_alias).map((unit) => printType(file, unit, unit.top)),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function printType(file: ProtoFile, unit: Unit, full_name: string): string {
  const { messages, enums } = unit.proto;
  const name = (unit.name + full_name.slice(unit.top.length)).split(".").at(-1) ?? "";
  const message = messages.get(full_name);
  const declared = enums.get(full_name);
  if (message === undefined)
    return declared === undefined ? "" : printEnum(declared, name, file.proto.syntax);
  const nested = [...messages.keys(), ...enums.keys()]
    .filter((one) => one.startsWith(`${full_name}.`) && !one.slice(full_name.length + 1).includes("."))
    .map((one) => printType(file, unit, one));
  return `${toComment(message.comment)}message ${name} {\n${indent([...nested, ...printFields(file, unit, message)])}}`;
}

function printFields(file: ProtoFile, unit: Unit, { full_name, fields, reserved }: ProtoMessage): string[] {
  const done = new Set<string>();
  const lines = fields.flatMap((field) => {
    const { oneof } = field;
    const line = (one: ProtoField) => printField(file, unit, full_name, one);
    if (oneof === undefined) return [line(field)];
    if (done.has(oneof)) return [];
    done.add(oneof);
    const members = fields.filter((one) => one.oneof === oneof);
    return [`oneof ${oneof} {\n${indent(members.map(line))}}`];
  });
  return [...lines, ...printReserved(reserved, 536_870_911)];
}

function printReserved(reserved: ProtoMessage["reserved"], max: number): string[] {
  const ranges = reserved.filter((one) => typeof one !== "string");
  const names = reserved.filter((one) => typeof one === "string");
  const end = (to: number) => (to >= max ? "max" : String(to));
  const lines: string[] = [];
  if (ranges.length > 0)
    lines.push(
      `reserved ${ranges.map(([from, to]) => (from === to ? from : `${from} to ${end(to)}`)).join(", ")};`,
    );
  if (names.length > 0) lines.push(`reserved ${names.map((one) => JSON.stringify(one)).join(", ")};`);
  return lines;
}

function printField(file: ProtoFile, unit: Unit, scope: string, field: ProtoField): string {
  const type = printTypeName(file, unit, scope, field.type);
  const whole = field.key_type === undefined ? type : `map<${field.key_type}, ${type}>`;
  const entries = Object.entries(field.options)
    // A file of proto3 may inline one of proto2, but knows no defaults.
    .filter(([name]) => name !== "default" || file.proto.syntax === "proto2")
    .map(([name, value]) => `${name} = ${toValue(name, value, field.type)}`);
  const options = entries.length === 0 ? "" : ` [${entries.join(", ")}]`;
  return `${toComment(field.comment)}${labelOf(file, field)}${whole} ${field.name} = ${field.number}${options};`;
}

/** A file of proto2 labels every field, one of proto3 has nothing that is required. */
function labelOf(
  { proto }: ProtoFile,
  { key_type, oneof, repeated, required, optional }: ProtoField,
): string {
  if (key_type !== undefined || oneof !== undefined) return "";
  if (repeated) return "repeated ";
  if (proto.syntax === "proto2") return required ? "required " : "optional ";
  return optional ? "optional " : "";
}

/** Texts stand in quotes, numbers and names of values do not. */
function toValue(name: string, value: string | number | boolean, type: string): string {
  const isText = name === "json_name" || (name === "default" && (type === "string" || type === "bytes"));
  return isText ? JSON.stringify(value) : String(value);
}

function printTypeName(file: ProtoFile, unit: Unit, scope: string, type: string): string {
  const { proto } = unit;
  if (!proto.messages.has(type) && !proto.enums.has(type)) return type;
  const name = nameIn(file.units, { proto, full_name: type });
  const [first] = name.split(".");
  // The innermost declaration of a name wins: one that is nested around here must not be taken for it.
  for (let around = scope; proto.messages.has(around); around = around.slice(0, around.lastIndexOf("."))) {
    const inner = `${around}.${first}`;
    if (proto.messages.has(inner) || proto.enums.has(inner))
      return `.${file.proto.package === undefined ? "" : `${file.proto.package}.`}${name}`;
    if (!around.includes(".")) break;
  }
  return name;
}

function printEnum(
  { values, reserved, comment, comments }: ProtoEnum,
  name: string,
  syntax: Proto["syntax"],
): string {
  const numbers = Object.values(values);
  const lines = Object.entries(values).map(
    ([value, number]) => `${toComment(comments[value])}${value} = ${number};`,
  );
  if (new Set(numbers).size < numbers.length) lines.unshift("option allow_alias = true;");
  // An enum of proto3 has to begin with zero; one of proto2 that it inlines need not have it.
  if (syntax === "proto3" && !numbers.includes(0)) lines.unshift(`${name.toUpperCase()}_UNSPECIFIED = 0;`);
  lines.push(...printReserved(reserved, 2 ** 31 - 1));
  return `${toComment(comment)}enum ${name} {\n${indent(lines)}}`;
}

function toComment(text: string | undefined): string {
  if (text === undefined || text === "") return "";
  return text
    .split("\n")
    .map((line) => `// ${line}`.trimEnd())
    .concat("")
    .join("\n");
}

function indent(blocks: readonly string[]): string {
  return blocks
    .flatMap((block) => block.split("\n"))
    .map((line) => `${line === "" ? "" : `  ${line}`}\n`)
    .join("");
}
