import type { IncomingHttpHeaders } from "node:http";
import { textOf } from "./xml.ts";

/** What a store said when it refused. */
export interface S3Failure {
  /** The HTTP status. */
  status: number;
  /** As S3 names it, e.g. `NoSuchKey`; without a body that says it, what the status means. */
  code: string;
  /** The store's own words, cut to a length that can be shown. */
  message: string;
  /** Where the bucket is, if the store said so. */
  region: string | undefined;
}

/** By status, for answers without a body: those to HEAD, and those of a proxy before the store. */
const codes: Record<number, string> = {
  301: "PermanentRedirect",
  307: "TemporaryRedirect",
  403: "AccessDenied",
  404: "NoSuchKey",
  412: "PreconditionFailed",
  500: "InternalError",
  503: "SlowDown",
};

/** Code, message and region of an error in XML, and no more of it; undefined when it is none. */
export function readS3Error(
  body: string,
): { code: string; message: string; region: string | undefined } | undefined {
  if (!/<Error[\s>]/.test(body)) return undefined;
  const said = (name: string, longest: number) =>
    (textOf(body, name) ?? "")
      .replace(/\p{Cc}+/gu, " ")
      .trim()
      .slice(0, longest);
  return { code: said("Code", 100), message: said("Message", 300), region: said("Region", 50) || undefined };
}

/** Reads a refusal out of an answer. */
export function readFailure(status: number, headers: IncomingHttpHeaders, body: string): S3Failure {
  const { code, message = "", region } = readS3Error(body) ?? {};
  const told = headers["x-amz-bucket-region"];
  const where = typeof told === "string" ? told : region;
  return {
    status,
    code: code || (codes[status] ?? `HTTP ${status}`),
    message,
    region: where !== undefined && /^[\w-]{1,50}$/.test(where) ? where : undefined,
  };
}

const passing = new Set([
  "SlowDown",
  "ServiceUnavailable",
  "InternalError",
  "RequestTimeout",
  "OperationAborted",
  "TooManyRequests",
]);

/** Whether the same call may well succeed in a while. */
export function isPassing({ status, code }: S3Failure): boolean {
  return passing.has(code) || [429, 500, 502, 503, 504].includes(status);
}

/** What was asked of the store. */
export interface S3Deed {
  action: "read" | "write";
  bucket: string;
  region: string;
}

/** The failure in words: the store's code, what it means and what to do. */
export function explainFailure(failure: S3Failure, deed: S3Deed): string {
  const { code, status, message } = failure;
  const head = code.startsWith("HTTP") ? code : `${code} (HTTP ${status})`;
  const words = message === "" ? "" : `: ${message.replace(/[.\s]+$/, "")}`;
  return `the store answers ${head}${words}${adviceFor(failure, deed)}`;
}

function adviceFor({ code, message, region }: S3Failure, { action, bucket, region: asked }: S3Deed): string {
  switch (code) {
    case "AccessDenied":
    case "AllAccessDisabled":
      if (/expired/i.test(message)) return "; have it handed out anew, or for longer (presign_s)";
      return action === "read"
        ? `; let these credentials s3:GetObject in bucket ${bucket} (and s3:ListBucket, or a missing key is answered like this as well)`
        : `; let these credentials s3:PutObject and s3:AbortMultipartUpload in bucket ${bucket}`;
    case "NoSuchKey":
      return "; was it dropped by a lifecycle rule of the bucket, or is the key misspelled?";
    case "NoSuchBucket":
      return `; is the name ${bucket} right, and \`endpoint\` (AWS_ENDPOINT_URL_S3) the store that has it?`;
    case "NoSuchUpload":
      return "; was it ended by a lifecycle rule of the bucket meanwhile? Publish it again";
    case "InvalidAccessKeyId":
      return "; check `access_key_id` (AWS_ACCESS_KEY_ID), and that `endpoint` is the store that gave it out";
    case "SignatureDoesNotMatch":
      return "; check `secret_access_key` (AWS_SECRET_ACCESS_KEY), and that no proxy on the way changes path or Host";
    case "ExpiredToken":
    case "InvalidToken":
    case "TokenRefreshRequired":
      return "; get new temporary credentials (AWS_SESSION_TOKEN) and start again with them";
    case "RequestTimeTooSkewed":
      return "; set this machine's clock: it differs too much from the store's";
    case "PermanentRedirect":
    case "TemporaryRedirect":
    case "AuthorizationHeaderMalformed":
    case "IllegalLocationConstraintException":
      return region === undefined || region === asked
        ? `; set \`region\` (AWS_REGION, now ${asked}) to the region of bucket ${bucket}`
        : `; bucket ${bucket} is in ${region}: set \`region\` (AWS_REGION, now ${asked}) to that`;
    case "InvalidObjectState":
      return "; it is archived: restore it first";
    case "XAmzContentSHA256Mismatch":
    case "BadDigest":
      return "; the bytes were changed on their way, or the file after it was stored";
    case "QuotaExceeded":
    case "XMinioStorageFull":
    case "XMinioAdminBucketQuotaExceeded":
      return "; the store is full: free some space, or raise the bucket's quota";
    case "SlowDown":
    case "ServiceUnavailable":
    case "InternalError":
    case "TooManyRequests":
      return "; try again later";
    default:
      return "";
  }
}
