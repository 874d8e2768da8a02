import type { DataReference } from "@aieffect/control-interface";
import {
  type FilePlane,
  type ReferenceExtra,
  type StoredPayload,
  toFileReference,
  toHttpReference,
  toInlineReference,
  toS3Reference,
} from "@aieffect/data-plane-file";
import type { PublishOptions } from "../operation.ts";

/** What a payload is made reachable with. */
export interface ReachableParts {
  plane: FilePlane;
  /** The URL under which this service sends it. */
  dataUrl(): string;
  /** Of workflow, task and execution; its key in a bucket has them in it. */
  ids: readonly string[];
  /** Different for every result of an execution. */
  name: string;
  extra: ReferenceExtra;
  signal: AbortSignal;
  traceparent: string | undefined;
}

/** A reference, and for one that works for a while only, what makes its uri anew. */
export interface Reachable {
  reference: DataReference;
  renew?: () => string;
}

/** Makes a stored payload reachable for the next service. */
export async function makeReachable(
  stored: StoredPayload,
  as: NonNullable<PublishOptions["as"]>,
  { plane, dataUrl, ids, name, extra, signal, traceparent }: ReachableParts,
): Promise<Reachable> {
  const put = () => plane.putObject(stored, { ids, name, signal, traceparent });
  switch (as) {
    case "file":
      return { reference: toFileReference(stored, extra) };
    case "inline":
      return { reference: await toInlineReference(stored, { max_bytes: plane.max_inline_bytes, ...extra }) };
    case "http":
      return { reference: toHttpReference(stored, dataUrl(), extra), renew: dataUrl };
    case "s3":
      return { reference: toS3Reference(stored, await put(), extra) };
    case "presigned": {
      const object = await put();
      const renew = () => plane.presign(object);
      return { reference: toHttpReference(stored, renew(), extra), renew };
    }
  }
}

/** Said before anything is written. @throws TypeError */
export function assertReachable(as: NonNullable<PublishOptions["as"]>, bucket: string | undefined): void {
  if ((as !== "s3" && as !== "presigned") || bucket !== undefined) return;
  throw new TypeError(
    `Expected the option s3 with a bucket (AWS_ACCESS_KEY_ID and so on, S3_BUCKET) to publish as "${as}", found none`,
  );
}
