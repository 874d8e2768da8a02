import { nearest } from "../nearest.ts";

/** A JSON Schema, as far as it is looked at. */
interface Schema {
  type?: unknown;
  properties?: Record<string, Schema>;
}

/**
 * Texts of the command line as the values that an operation takes: by the JSON Schema of its
 * parameters where there is one, else as JSON where a text is some. A text that is not what the
 * schema wants is passed on as it is: what is wrong with it is the service's to say.
 */
export function toParameters(
  texts: ReadonlyMap<string, string>,
  schema: Record<string, unknown> | undefined,
): Record<string, unknown> {
  const { properties = {} } = (schema ?? {}) as Schema;
  return Object.fromEntries(
    [...texts].map(([name, text]) => [name, isText(properties, name) ? text : toValue(text)]),
  );
}

function isText(properties: Record<string, Schema>, name: string): boolean {
  return Object.hasOwn(properties, name) && properties[name]?.type === "string";
}

/** Names that the operation does not have, each with the one that may be meant. */
export function unknownParameters(
  names: readonly string[],
  schema: Record<string, unknown> | undefined,
): string[] {
  const { properties } = (schema ?? {}) as Schema;
  if (properties === undefined) return [];
  const known = Object.keys(properties);
  return names
    .filter((name) => !known.includes(name))
    .map((name) => {
      const meant = nearest(name, known);
      return `no parameter "${name}"${meant === undefined ? "" : `, did you mean "${meant}"?`} (has: ${known.join(", ") || "none"})`;
    });
}

function toValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the text itself is the value.
    return text;
  }
}
