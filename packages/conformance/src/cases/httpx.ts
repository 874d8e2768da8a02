/** How Python writes JSON: httpx up to 0.27 spaced and in ASCII, httpx from 0.28 on compact and in UTF-8. */
export type JsonStyle = "spaced" | "compact";

/** What a request by httpx has in it. */
export interface HttpxRequest {
  method: string;
  path: string;
  token?: string | undefined;
  /** Sent as JSON; without it there is no body. */
  body?: unknown;
  /** @default "spaced" */
  style?: JsonStyle;
}

/** So long after the head the body comes, in ms: on its way over a network the two can be as far apart. */
const apart_ms = 20;

/** The very bytes that Python's httpx sends: the head and, where there is one, the body, which it writes apart. */
export function httpxRequest(base_url: string, request: HttpxRequest): (string | number)[] {
  const base = new URL(base_url);
  const { method, path, token, style = "spaced" } = request;
  const body = request.body === undefined ? undefined : pythonJson(request.body, style);
  const head = [
    `${method} ${base.pathname.replace(/\/+$/, "")}${path} HTTP/1.1`,
    `Host: ${base.host}`,
    "Accept: */*",
    "Accept-Encoding: gzip, deflate",
    "Connection: keep-alive",
    `User-Agent: python-httpx/${style === "spaced" ? "0.27.2" : "0.28.1"}`,
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ...(body === undefined
      ? []
      : [`Content-Length: ${Buffer.byteLength(body)}`, "Content-Type: application/json"]),
    "",
    "",
  ].join("\r\n");
  return body === undefined ? [head] : [head, apart_ms, body];
}

/** A value as Python's `json.dumps` writes it for httpx. */
export function pythonJson(value: unknown, style: JsonStyle): string {
  const [comma, colon] = style === "spaced" ? [", ", ": "] : [",", ":"];
  const text = (one: string) => {
    const json = JSON.stringify(one);
    return style === "compact"
      ? json
      : json.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  };
  const write = (one: unknown): string => {
    if (Array.isArray(one)) return `[${one.map(write).join(comma)}]`;
    if (typeof one === "string") return text(one);
    if (one === null || typeof one !== "object") return JSON.stringify(one);
    const members = Object.entries(one).map(([name, member]) => `${text(name)}${colon}${write(member)}`);
    return `{${members.join(comma)}}`;
  };
  return write(value);
}
