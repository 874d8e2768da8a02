/** `OTEL_EXPORTER_OTLP_HEADERS`, and that of each signal. */
const variable = /^OTEL_EXPORTER_OTLP_(?:[A-Z]+_)?HEADERS$/i;

/** What these hold is said aloud elsewhere, and is no key: taking it out would spoil the log. */
const plain =
  /^(?!.*(?:key|token|secret|auth|password|credential))(?:accept|accept-.+|content-.+|host|user-agent|traceparent|tracestate|.*(?:tenant|org-?id|organization|dataset|project|namespace|stream-name|environment).*)$/i;

/**
 * The keys in the headers with which a collector is called: every value, but those of headers whose
 * names say that they hold none, as `x-scope-orgid`. Also the token behind `Bearer`, and the password in `Basic`.
 */
export function keysInOtlpHeaders(env: NodeJS.ProcessEnv): string[] {
  const headers = Object.entries(env).flatMap(([name, value]) =>
    variable.test(name) ? (value ?? "").split(",") : [],
  );
  return headers.flatMap((header) => {
    // What stands behind a semicolon is not sent, but it is a part of a key that was not encoded.
    const [, name = "", value = ""] = /^\s*([^=]*?)\s*=\s*(.*?)\s*$/s.exec(header) ?? [];
    // Where the name is forgotten, what is there is all the same no business of anybody.
    if (name === "") return header.trim() === "" ? [] : spellings(header.trim());
    return plain.test(decoded(name)) ? [] : spellings(value);
  });
}

function spellings(value: string): string[] {
  return [...new Set([value, value.split(";", 1)[0]?.trim() ?? "", decoded(value)].flatMap(tokensIn))];
}

function tokensIn(value: string): string[] {
  const [, scheme = "", token = ""] = /^([\w-]+)\s+(\S.*)$/s.exec(value) ?? [];
  if (token === "") return [value];
  if (!/^basic$/i.test(scheme)) return [value, token];
  const password = Buffer.from(token, "base64").toString().split(":").slice(1).join(":");
  return [value, token, password];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
