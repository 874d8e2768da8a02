import type { DataReference } from "@aieffect/control-interface";
import type { TaskView } from "../views/views.ts";

/** Characters of an inline payload that are shown. */
const mostShown = 2000;

/** The outputs as lines for people: references, and what inline ones hold. */
export function toOutputLines(tasks: readonly TaskView[]): string[] {
  return tasks.flatMap(({ node_key, output_refs }) => {
    if (output_refs.length === 0) return [`${printable(node_key)}: no output`];
    return output_refs.flatMap((reference) => [
      `${printable(node_key)}: ${describe(reference)}`,
      ...(reference.protocol === "inline" ? contentOf(reference).map((line) => `  ${line}`) : []),
    ]);
  });
}

/** Text from a service without what a terminal would act on. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) => (character === "\t" ? character : "\uFFFD"));
}

function describe({ protocol, uri, format, size_bytes }: DataReference): string {
  const size = size_bytes == null ? "" : `, ${size_bytes} bytes`;
  if (protocol === "inline") return `inline ${printable(format)}${size}`;
  return `${protocol} ${printable(format)}${size} ${printable(uri)}`;
}

function contentOf({ uri, format }: DataReference): string[] {
  const bytes = Buffer.from(uri, "base64");
  if (format !== "json" && format !== "csv" && format !== "xml")
    return [`(${bytes.length} bytes of ${printable(format)})`];
  const text = format === "json" ? prettyJson(bytes.toString()) : bytes.toString();
  const shown =
    text.length > mostShown ? `${text.slice(0, mostShown)}\n... (${text.length} characters)` : text;
  return shown.trimEnd().split(/\r?\n/).map(printable);
}

function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // Not the JSON it says it is: shown as it came.
    return text;
  }
}
