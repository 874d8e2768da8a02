import { isIP } from "node:net";
import { ControlError } from "@aieffect/control-interface";

/** An object in a store. */
export interface S3Object {
  bucket: string;
  /** Any text of up to 1,024 bytes; no path: `a//b`, `./a` and `a/../b` are keys of their own. */
  key: string;
}

/** Where an object is reached. */
export interface Address {
  /** Scheme, host and port alone: a URL would change the path of a key with `.` or `..` in it. */
  origin: URL;
  /** Encoded once, as S3 signs it. */
  path: string;
}

/** How the objects of a store are addressed. */
export interface Addressing {
  endpoint: URL;
  path_style: boolean;
}

/** What reads as a bucket; those from before 2018 may have capitals and underscores. */
const bucketName = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;

/** Whether a text can be the name of a bucket. */
export function isBucketName(name: unknown): name is string {
  return typeof name === "string" && bucketName.test(name) && !name.includes("..");
}

/**
 * The bucket and key of an `s3://bucket/key` uri (R-REF-06). The key is all that follows, as it
 * stands: nothing in it is decoded, as in every S3 tool.
 *
 * @throws ControlError `invalid_reference`
 */
export function readS3Uri(uri: string): S3Object {
  const [, bucket = "", key = ""] = /^s3:\/\/([^/]*)\/?([\s\S]*)$/.exec(uri) ?? [];
  const found = problemOf(bucket, key);
  if (found === undefined) return { bucket, key };
  throw new ControlError(
    "invalid_reference",
    `Expected s3://bucket/key (R-REF-06), found ${JSON.stringify(uri)}: ${found}`,
  );
}

/** The uri of an object; {@link readS3Uri} reads it back. */
export function toS3Uri({ bucket, key }: S3Object): string {
  return `s3://${bucket}/${key}`;
}

/** The uri of an object as it may be shown: on one line, whatever the key has in it. */
export function showObject(object: S3Object): string {
  return toS3Uri(object).replace(/\p{Cc}/gu, "\ufffd");
}

function problemOf(bucket: string, key: string): string | undefined {
  if (!isBucketName(bucket)) return "that is no bucket's name";
  if (key === "") return "the key is missing";
  if (Buffer.byteLength(key) > 1024) return "the key has more than 1,024 bytes";
  if (/\p{Surrogate}/u.test(key)) return "the key is no well-formed Unicode";
  return undefined;
}

/** Where an object is: with the bucket in the path, or in the host's name where that can be. */
export function addressOf({ endpoint, path_style }: Addressing, { bucket, key }: S3Object): Address {
  const origin = new URL(endpoint.origin);
  const base = endpoint.pathname.replace(/\/+$/, "");
  if (path_style || !canBeHost(bucket, endpoint))
    return { origin, path: `${base}/${encodeKey(bucket)}/${encodeKey(key)}` };
  origin.hostname = `${bucket}.${endpoint.hostname}`;
  return { origin, path: `${base}/${encodeKey(key)}` };
}

/** A certificate for `*.host` is none for a bucket with a dot in its name. */
function canBeHost(bucket: string, { hostname, protocol }: URL): boolean {
  const isLabel =
    protocol === "https:" ? /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/ : /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
  return isLabel.test(bucket) && isIP(hostname.replace(/^\[|\]$/g, "")) === 0;
}

/** All but the unreserved characters of RFC 3986 and the slash, as S3 encodes what is signed. */
function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
