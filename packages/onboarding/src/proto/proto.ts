/** A proto file, as far as the export is concerned. */
export interface Proto {
  /** Undefined where the file has none. */
  package: string | undefined;
  package_line: number | undefined;
  /** The file's own enums with their lines. */
  enum_lines: readonly (readonly [name: string, line: number])[];
  syntax: "proto2" | "proto3";
  /** Files that say `edition` in place of `syntax`: the file itself, and those of {@link imported}. */
  editions: ReadonlySet<string>;
  services: readonly ProtoService[];
  /** All messages by full name without a leading dot, nested and imported ones included. */
  messages: ReadonlyMap<string, ProtoMessage>;
  enums: ReadonlyMap<string, ProtoEnum>;
  /** As written, with the line of each. */
  imports: readonly { path: string; line: number }[];
  /** The text of the file itself. */
  text: string;
  /** Texts of the imported files, those that they import included, by the path under which they were imported. */
  imported: ReadonlyMap<string, string>;
}

export interface ProtoService {
  name: string;
  line: number;
  /** Without its slashes; undefined where it has none. The same goes for every comment here. */
  comment: string | undefined;
  rpcs: readonly Rpc[];
}

/** One RPC; message names as the proto spells them, and resolved. */
export interface Rpc {
  name: string;
  line: number;
  /** Without a package where it is the file's own. */
  input: string;
  output: string;
  /** Full names, keys of {@link Proto.messages}; undefined where there is no such message. */
  input_type: string | undefined;
  output_type: string | undefined;
  input_stream: boolean;
  output_stream: boolean;
  /** It has a body in braces, be it empty. */
  has_body: boolean;
  comment: string | undefined;
}

export interface ProtoMessage {
  full_name: string;
  line: number | undefined;
  /** The file that it comes from: the proto's own, or an import's path. */
  file: string;
  fields: readonly ProtoField[];
  /** Ranges of numbers, and names, that fields must not take. */
  reserved: readonly (readonly [number, number] | string)[];
  /** What of it cannot be printed: groups and extensions, in words. */
  unprintable: readonly string[];
  comment: string | undefined;
}

export interface ProtoField {
  name: string;
  number: number;
  /** A scalar's name, or the full name of a message or enum. */
  type: string;
  /** The key's type, for a map. */
  key_type: string | undefined;
  repeated: boolean;
  optional: boolean;
  /** Only proto2 knows it. */
  required: boolean;
  /** Its message is a group of proto2: other bytes on the wire. */
  group: boolean;
  oneof: string | undefined;
  /** As written in brackets: `deprecated`, `packed`, `json_name`, `default`. */
  options: Readonly<Record<string, string | number | boolean>>;
  comment: string | undefined;
}

export interface ProtoEnum {
  full_name: string;
  file: string;
  values: Readonly<Record<string, number>>;
  /** Ranges of numbers, and names, that values must not take. */
  reserved: ProtoMessage["reserved"];
  comment: string | undefined;
  /** Comments of values, by name. */
  comments: Readonly<Record<string, string>>;
}
