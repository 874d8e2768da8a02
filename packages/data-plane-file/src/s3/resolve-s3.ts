import { type Addressing, isBucketName } from "./address.ts";
import type { Signer } from "./sign.ts";

/** An S3-compatible store, and how it is spoken to. */
export interface S3Options {
  /** Base URL of a store of one's own, e.g. http://minio:9000; presigned URLs have it as well. @default https://s3.<region>.amazonaws.com */
  endpoint?: string;
  /** The bucket's region. @default "us-east-1" */
  region?: string;
  /** Name of the key that calls are signed with. */
  access_key_id: string;
  /** The key itself; never sent, and in no message. */
  secret_access_key: string;
  /** Of temporary credentials; it is part of presigned URLs, which work no longer than it does. @default none */
  session_token?: string;
  /** The bucket in the path (true) or, where its name allows, in the host's name. @default true with an `endpoint`, else false */
  path_style?: boolean;
  /** Where results are published to. @default none: only reading */
  bucket?: string;
  /** What the keys of published results begin with, as it stands, e.g. "energy/". @default "" */
  prefix?: string;
  /** Buckets that inputs may be read from; others are refused. @default all that the credentials can read */
  readable_buckets?: readonly string[];
  /** How long a presigned URL is valid, in seconds; at most 604,800 (7 days). Let it cover the time for which results are kept. @default 86,400 */
  presign_s?: number;
}

/** The options of a store with every default filled in and every value checked. */
export interface ResolvedS3 extends Addressing {
  signer: Signer;
  bucket: string | undefined;
  prefix: string;
  /** None: all. */
  readable_buckets: ReadonlySet<string> | undefined;
  presign_s: number;
}

const sevenDays_s = 604_800;

/** Fills in the defaults. @throws TypeError for a value that cannot be meant; no message has a secret in it */
export function resolveS3(given: S3Options, now: () => number): ResolvedS3 {
  const region = given.region ?? "us-east-1";
  if (!/^[A-Za-z0-9-]{1,50}$/.test(region))
    throw new TypeError(`Expected s3.region (AWS_REGION) to be a region as in us-east-1, got "${region}"`);
  const { readable_buckets, bucket, presign_s = 86_400, prefix = "" } = given;
  for (const name of [...(readable_buckets ?? []), ...(bucket === undefined ? [] : [bucket])]) {
    if (!isBucketName(name))
      throw new TypeError(
        `Expected s3.bucket (S3_BUCKET) and s3.readable_buckets to be names of buckets, got "${name}"`,
      );
  }
  if (!Number.isSafeInteger(presign_s) || presign_s < 1 || presign_s > sevenDays_s) {
    throw new TypeError(
      `Expected s3.presign_s to be an integer of 1 to ${sevenDays_s}, the 7 days that S3 allows, got ${presign_s}`,
    );
  }
  return {
    endpoint: toEndpoint(given.endpoint ?? defaultEndpoint(region)),
    path_style: given.path_style ?? given.endpoint !== undefined,
    signer: {
      access_key_id: toSecret("access_key_id", "AWS_ACCESS_KEY_ID", given.access_key_id),
      secret_access_key: toSecret("secret_access_key", "AWS_SECRET_ACCESS_KEY", given.secret_access_key),
      session_token:
        given.session_token === undefined
          ? undefined
          : toSecret("session_token", "AWS_SESSION_TOKEN", given.session_token),
      region,
      now,
    },
    bucket,
    prefix: toPrefix(prefix),
    readable_buckets: readable_buckets && new Set(readable_buckets),
    presign_s,
  };
}

function defaultEndpoint(region: string): string {
  return `https://s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
}

function toEndpoint(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isPlain =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    `${url.username}${url.password}${url.search}${url.hash}` === "";
  if (isPlain) return url;
  // What is left out may be a password.
  const shown = String(endpoint)
    .replace(/\/\/.*@/s, "//")
    .replace(/[?#].*$/s, "");
  throw new TypeError(
    `Expected s3.endpoint (AWS_ENDPOINT_URL_S3) to be an http or https URL without user and query, as in http://minio:9000, got "${shown}"`,
  );
}

function toSecret(name: string, variable: string, value: string): string {
  if (typeof value === "string" && /^[\x21-\x7e]+$/.test(value)) return value;
  throw new TypeError(`Expected s3.${name} (${variable}) to be printable ASCII without spaces`);
}

/** Tools and browsers take dots and empty parts out of a path, and the signature would be another's. */
function toPrefix(prefix: string): string {
  const parts = prefix.split("/");
  const isOdd =
    parts.slice(0, -1).some((part) => /^\.{0,2}$/.test(part)) || /^\.{1,2}$/.test(parts.at(-1) ?? "");
  if (!isOdd && !/[\p{Cc}\p{Surrogate}]/u.test(prefix) && Buffer.byteLength(prefix) <= 400) return prefix;
  throw new TypeError(
    `Expected s3.prefix (S3_PREFIX) to be what keys begin with, as in "energy/", of at most 400 bytes and without empty, "." and ".." parts, got ${JSON.stringify(prefix)}`,
  );
}
