import type { MessageOf } from "../proto/print-proto.ts";
import type { Proto, ProtoField, ProtoMessage } from "../proto/proto.ts";

/** Where two messages differ; both undefined when they are alike. */
export interface Difference {
  /** What makes them different on the wire, in words. */
  structure: string | undefined;
  /** A field that both have under different names, in words. */
  names: string | undefined;
}

/**
 * Compares two messages as the designer does: fields by number, their types (messages within them
 * likewise), whether they repeat, and which of them exclude each other. Names of messages and
 * enums do not count.
 */
export function compareMessages(one: MessageOf, other: MessageOf): Difference {
  const difference: Difference = { structure: undefined, names: undefined };
  const seen = new Set<string>();
  const queue: { left: string; right: string; path: string }[] = [
    { left: one.full_name, right: other.full_name, path: "" },
  ];
  // A queue that grows while it is walked; pairs that have been seen end recursion.
  for (const { left, right, path } of queue) {
    const id = `${left} ${right}`;
    if (seen.has(id)) continue;
    seen.add(id);
    const [a, b] = [one.proto.messages.get(left), other.proto.messages.get(right)];
    if (a !== undefined && b !== undefined) {
      difference.structure ??= compareFields(a, b, path, one.proto, other.proto);
      if (difference.structure !== undefined) return difference;
      for (const field of a.fields) {
        const match = b.fields.find(({ number }) => number === field.number) as ProtoField;
        if (field.name !== match.name)
          difference.names ??= `field ${path}${field.number} is ${field.name} there and ${match.name} here`;
        if (one.proto.messages.has(field.type))
          queue.push({ left: field.type, right: match.type, path: `${path}${field.number}.` });
      }
    }
  }
  return difference;
}

function compareFields(
  a: ProtoMessage,
  b: ProtoMessage,
  path: string,
  left: Proto,
  right: Proto,
): string | undefined {
  if (isSame(a, b, left, right)) return undefined;
  const numbers = [...new Set([...a.fields, ...b.fields].map(({ number }) => number))].sort((x, y) => x - y);
  for (const number of numbers) {
    const one = a.fields.find((field) => field.number === number);
    const other = b.fields.find((field) => field.number === number);
    const [there, here] = [describe(one, a, left), describe(other, b, right)];
    if (there !== here) return `field ${path}${number} is ${there} there and ${here} here`;
  }
  return undefined;
}

/** Whether two messages are alike field by field, as most are that are connected; enums and oneofs are left to words. */
function isSame({ fields }: ProtoMessage, other: ProtoMessage, left: Proto, right: Proto): boolean {
  if (fields.length !== other.fields.length) return false;
  return fields.every((one, index) => {
    const match = other.fields[index] as ProtoField;
    const sameType = left.messages.has(one.type) ? right.messages.has(match.type) : one.type === match.type;
    return (
      sameType &&
      !left.enums.has(one.type) &&
      !right.enums.has(match.type) &&
      one.oneof === undefined &&
      match.oneof === undefined &&
      one.number === match.number &&
      one.repeated === match.repeated &&
      one.group === match.group &&
      one.key_type === match.key_type
    );
  });
}

/** A field's shape in words; the same words, the same shape, but for the messages within. */
function describe(field: ProtoField | undefined, { fields }: ProtoMessage, proto: Proto): string {
  if (field === undefined) return "missing";
  const { type, key_type, repeated, group, oneof } = field;
  const values = proto.enums.get(type)?.values;
  const plain = proto.messages.has(type)
    ? `a ${group ? "group" : "message"}`
    : values === undefined
      ? type
      : `an enum of ${[...new Set(Object.values(values))].sort((x, y) => x - y).join(", ")}`;
  const whole = key_type === undefined ? plain : `a map from ${key_type} to ${plain}`;
  const others = fields
    .filter((one) => oneof !== undefined && one.oneof === oneof)
    .map(({ number }) => number)
    .sort((x, y) => x - y);
  return `${repeated && key_type === undefined ? "repeated " : ""}${whole}${oneof === undefined ? "" : ` in a oneof of ${others.join(", ")}`}`;
}
