/** Where a Redis is, as its URL says it. */
export interface RedisAddress {
  host: string;
  port: number;
  db: number;
  username: string | undefined;
  /** A secret. */
  password: string | undefined;
  tls: boolean;
  /** `?prefix=`, the namespace that the URL asks for. */
  prefix: string | undefined;
  /** The URL without user and password, for people. */
  shown: string;
}

// What stands for a user before an @ would be taken for one, and out.
const example =
  "redis://host:6379, with user:password@ before the host, /db behind the port, and ?prefix=NAME at its end where that is meant";

/** Whether a store's name is the URL of a Redis. */
export function isRedisUrl(name: string): boolean {
  return /^rediss?:\/\//i.test(name);
}

/** Takes a URL apart. No error quotes it, because it may hold a password. @throws TypeError */
export function readRedisUrl(text: string): RedisAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new TypeError(`Expected the URL of a Redis, as in ${example}, found one that cannot be read`);
  }
  if (!isRedisUrl(text) || url.hostname === "") {
    throw new TypeError(`Expected the URL of a Redis, as in ${example}, found one of another kind`);
  }
  const db = url.pathname.replace(/^\//, "") || "0";
  if (!/^\d{1,5}$/.test(db)) {
    throw new TypeError(`Expected the path of a Redis URL to be the number of a database, found "${db}"`);
  }
  const unknown = [...url.searchParams.keys()].filter((name) => name !== "prefix");
  if (unknown.length > 0) {
    throw new TypeError(`Expected a Redis URL to have no parameter but prefix, found ${unknown.join(", ")}`);
  }
  const port = url.port === "" ? 6379 : Number(url.port);
  const path = db === "0" ? "" : `/${db}`;
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port,
    db: Number(db),
    username: decoded(url.username),
    password: decoded(url.password),
    tls: url.protocol === "rediss:",
    prefix: url.searchParams.get("prefix") || undefined,
    shown: `${url.protocol}//${url.hostname}:${port}${path}`,
  };
}

/** The secrets in a Redis URL: the password, as it is and as it is written there. */
export function secretsOfRedisUrl(text: string): string[] {
  const { password } = readRedisUrl(text);
  if (password === undefined) return [];
  return [...new Set([password, encodeURIComponent(password), new URL(text).password])];
}

function decoded(part: string): string | undefined {
  if (part === "") return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    // A lone per cent sign is part of the password.
    return part;
  }
}
