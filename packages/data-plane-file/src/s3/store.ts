import { basename } from "node:path";
import { ControlError } from "@aieffect/control-interface";
import type { Manners } from "../read/ask.ts";
import type { StoredPayload } from "../write/store.ts";
import { addressOf, readS3Uri, type S3Object, showObject } from "./address.ts";
import { createS3Client, type S3ClientOptions } from "./client.ts";
import { explainFailure, isPassing, readFailure } from "./failure.ts";
import { toObjectKey } from "./key.ts";
import { type PartOptions, putObject } from "./put-object.ts";
import type { ResolvedS3 } from "./resolve-s3.ts";
import { emptySha256, presignPath, signHeaders } from "./sign.ts";

/** Where a stored payload is put. */
export interface PutOptions {
  /**
   * What the key has between the prefix and the name, e.g. the ids of workflow, task and execution;
   * any text. An object under the same key is replaced.
   */
  ids: readonly string[];
  /** Last part of the key. @default the stored file's name */
  name?: string | undefined;
  /** Ends it; nothing unfinished is left in the bucket. */
  signal?: AbortSignal | undefined;
  /** W3C trace context to continue (R-TRACE-01). */
  traceparent?: string | undefined;
}

/** What a store is asked for. */
export interface S3Store {
  /** Where results are put; none: only reading, or no store at all. */
  readonly bucket: string | undefined;
  put(stored: StoredPayload, options: PutOptions): Promise<S3Object>;
  /** A URL with which a GET works without credentials, for as long as the options say. */
  presign(object: S3Object): string;
  /** Where and how the object of an `s3` uri is fetched. @throws ControlError `invalid_reference`, `unreadable_reference` */
  find(uri: string): { origin: string; manners: Manners };
  close(): void;
}

/** A payload above 128 MiB is sent in parts of 32 MiB. */
const parts: PartOptions = { above_bytes: 128 * 2 ** 20, part_bytes: 32 * 2 ** 20, parallel: 4 };

/** A store of its own connections; without options one that says what is missing. */
export function createS3Store(
  s3: ResolvedS3 | undefined,
  options: S3ClientOptions & { parts?: PartOptions },
): S3Store {
  const client = s3 && createS3Client(s3, options);
  return {
    bucket: s3?.bucket,
    async put(stored, { ids, name = basename(stored.path), ...given }) {
      if (client === undefined || s3?.bucket === undefined) throw noBucket();
      const object = { bucket: s3.bucket, key: toObjectKey(s3.prefix, ids, name) };
      await putObject(client, stored, object, { ...(options.parts ?? parts), ...given });
      return object;
    },
    presign(object) {
      if (s3 === undefined) throw noBucket();
      const { origin, path } = addressOf(s3, object);
      return origin.origin + presignPath({ host: origin.host, path }, s3.presign_s, s3.signer);
    },
    find(uri) {
      const object = readS3Uri(uri);
      if (s3 === undefined) throw noCredentials(object);
      assertReadable(object, s3);
      return toReading(object, s3);
    },
    close: () => client?.close(),
  };
}

function toReading(object: S3Object, s3: ResolvedS3): { origin: string; manners: Manners } {
  const { origin, path } = addressOf(s3, object);
  const deed = { action: "read", bucket: object.bucket, region: s3.signer.region } as const;
  return {
    origin: origin.href,
    manners: {
      what: showObject(object),
      path,
      sign: ({ host }, headers) =>
        signHeaders({ method: "GET", host, path }, headers, emptySha256, s3.signer),
      explain(status, headers, body) {
        const failure = readFailure(status, headers, body);
        return { text: explainFailure(failure, deed), passing: isPassing(failure) };
      },
    },
  };
}

/** What publishing to a bucket needs, in the words of both packages. */
function noBucket(): TypeError {
  return new TypeError(
    "Expected the option s3 with a bucket to publish to (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and S3_BUCKET of a service), got none",
  );
}

function noCredentials(object: S3Object): ControlError {
  return new ControlError(
    "unreadable_reference",
    `Cannot read ${showObject(object)}: expected credentials for its store, found none; set the option \`s3\` (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, and AWS_REGION or AWS_ENDPOINT_URL_S3 of a service), or ask the service before for a presigned URL`,
  );
}

/** Whoever sends a reference must not choose what our credentials are good for. */
function assertReadable(object: S3Object, { readable_buckets }: ResolvedS3): void {
  if (readable_buckets === undefined || readable_buckets.has(object.bucket)) return;
  throw new ControlError(
    "unreadable_reference",
    `Refused to read ${showObject(object)}: inputs are read from these buckets only: ${[...readable_buckets].join(", ") || "none"}; put it there, or add its bucket with the option \`s3.readable_buckets\``,
  );
}
