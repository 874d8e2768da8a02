import { parsePythonJson } from "@aieffect/control-interface";

/** Why bytes are not of a format; undefined where they are, or where it cannot be told. */
export function whyNotFormat(bytes: Buffer, format: string): string | undefined {
  switch (format) {
    case "json":
      return whyNotJson(bytes);
    case "csv":
      if (bytes.length === 0) return "it is empty";
      // Files of other encodings are CSV as well; a zero byte is in none of them.
      return bytes.includes(0) && !isUtf16(bytes) ? "there are zero bytes in it" : undefined;
    case "xml":
      return /^[^\w{[]*</.test(bytes.subarray(0, 100).toString().replaceAll("\0", ""))
        ? undefined
        : "it does not begin with <";
    case "parquet": {
      const isParquet = [bytes.subarray(0, 4), bytes.subarray(-4)].every((end) =>
        ["PAR1", "PARE"].includes(end.toString("latin1")),
      );
      return isParquet ? undefined : "it does not begin and end with PAR1";
    }
    default:
      // Anything is binary, and nearly anything protobuf.
      return undefined;
  }
}

function whyNotJson(bytes: Buffer): string | undefined {
  try {
    // As the deployed services read it, NaN included.
    parsePythonJson(bytes);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function isUtf16(bytes: Buffer): boolean {
  const mark = bytes.length < 2 ? 0 : bytes.readUInt16BE(0);
  return mark === 0xfffe || mark === 0xfeff;
}
