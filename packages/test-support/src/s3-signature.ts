import { createHash, createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** A request as it came over the wire. */
export interface WireRequest {
  method: string;
  /** With the query, encoded as it came. */
  url: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Who may call, and when and where it is. */
export interface S3Authority {
  access_key_id: string;
  secret_access_key: string;
  session_token?: string | undefined;
  region: string;
  /** Epoch ms. */
  now(): number;
}

/** Why a request is refused, in S3's own words. */
export interface S3Refusal {
  status: number;
  code: string;
  message: string;
  more?: Record<string, string>;
}

/**
 * Recomputes the Signature Version 4 of a request from what AWS documents ("Authenticating
 * Requests"), and shares no code with whoever signed it.
 *
 * @returns why it is refused; undefined when it is good
 */
export function checkSignature(request: WireRequest, authority: S3Authority): S3Refusal | undefined {
  const query = parseQuery(request.url);
  const value = (name: string) => query.find(([key]) => key === name)?.[1];
  const isPresigned = value("X-Amz-Algorithm") !== undefined;
  const found = isPresigned
    ? {
        algorithm: value("X-Amz-Algorithm"),
        credential: value("X-Amz-Credential"),
        signedHeaders: value("X-Amz-SignedHeaders"),
        signature: value("X-Amz-Signature"),
        date: value("X-Amz-Date"),
        token: value("X-Amz-Security-Token"),
        sha256: "UNSIGNED-PAYLOAD",
      }
    : readHeaders(request.headers);
  const { algorithm, credential = "", signedHeaders = "", signature, date = "", token, sha256 = "" } = found;
  if (signature === undefined) return refused(403, "AccessDenied", "Access Denied");
  const [key, day, region = "", service, end] = credential.split("/");
  if (
    algorithm !== "AWS4-HMAC-SHA256" ||
    service !== "s3" ||
    end !== "aws4_request" ||
    day !== date.slice(0, 8)
  )
    return refused(400, "AuthorizationHeaderMalformed", "The authorization header is malformed");
  if (region !== authority.region) {
    const message = `The authorization header is malformed; the region '${region}' is wrong; expecting '${authority.region}'`;
    return { ...refused(400, "AuthorizationHeaderMalformed", message), more: { Region: authority.region } };
  }
  if (key !== authority.access_key_id)
    return refused(
      403,
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
    );
  if (token !== authority.session_token)
    return refused(400, "InvalidToken", "The provided token is malformed or otherwise invalid.");
  const late = isPresigned
    ? expired(date, Number(value("X-Amz-Expires")), authority)
    : skewed(date, authority);
  if (late !== undefined) return late;
  const names = signedHeaders.split(";");
  const unsigned = Object.keys(request.headers).filter(
    (name) => name.startsWith("x-amz-") && !names.includes(name),
  );
  if (!names.includes("host") || unsigned.length > 0)
    return refused(
      403,
      "AccessDenied",
      `There were headers present in the request which were not signed: ${unsigned}`,
    );
  const canonical = [
    request.method,
    uriEncode(decodeURIComponent(request.url.split("?")[0] as string), true),
    query
      .filter(([name]) => name !== "X-Amz-Signature")
      .map(([name, text]) => `${uriEncode(name, false)}=${uriEncode(text, false)}`)
      .sort()
      .join("&"),
    ...names.map(
      (name) =>
        `${name}:${String(request.headers[name] ?? "")
          .trim()
          .replace(/ +/g, " ")}`,
    ),
    "",
    signedHeaders,
    sha256,
  ].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", date, scope, hash(canonical)].join("\n");
  const signingKey = [day as string, region, "s3", "aws4_request"].reduce<string | Buffer>(
    (last, part) => createHmac("sha256", last).update(part).digest(),
    `AWS4${authority.secret_access_key}`,
  );
  if (createHmac("sha256", signingKey).update(text).digest("hex") !== signature) {
    return refused(
      403,
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    );
  }
  if (isPresigned || sha256 === hash(request.body)) return undefined;
  return refused(
    400,
    "XAmzContentSHA256Mismatch",
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
  );
}

function readHeaders(headers: IncomingHttpHeaders) {
  const [algorithm, ...rest] = (headers.authorization ?? "").split(" ");
  const parts = new Map(
    rest.map((part) => part.replace(/,$/, "").split(/=(.*)/s).slice(0, 2) as [string, string]),
  );
  const one = (name: string) => headers[name] as string | undefined;
  return {
    algorithm,
    credential: parts.get("Credential"),
    signedHeaders: parts.get("SignedHeaders"),
    signature: parts.get("Signature"),
    date: one("x-amz-date"),
    token: one("x-amz-security-token"),
    sha256: one("x-amz-content-sha256"),
  };
}

function parseQuery(url: string): [string, string][] {
  const text = url.split("?")[1] ?? "";
  if (text === "") return [];
  return text.split("&").map((pair) => {
    const [name = "", value = ""] = pair.split(/=(.*)/s).map(decodeURIComponent);
    return [name, value];
  });
}

/** UriEncode of the documentation: byte by byte, all but the unreserved characters. */
function uriEncode(text: string, isPath: boolean): string {
  let encoded = "";
  for (const byte of Buffer.from(text)) {
    const character = String.fromCharCode(byte);
    const stays = /[A-Za-z0-9\-._~]/.test(character) || (isPath && character === "/");
    encoded += stays ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

function expired(date: string, expires_s: number, { now }: S3Authority): S3Refusal | undefined {
  if (!(expires_s >= 1 && expires_s <= 604_800))
    return refused(400, "AuthorizationQueryParametersError", "X-Amz-Expires must be between 1 and 604800");
  if (now() <= toEpoch(date) + expires_s * 1000) return undefined;
  return refused(403, "AccessDenied", "Request has expired");
}

function skewed(date: string, { now }: S3Authority): S3Refusal | undefined {
  if (Math.abs(now() - toEpoch(date)) <= 15 * 60_000) return undefined;
  return refused(
    403,
    "RequestTimeTooSkewed",
    "The difference between the request time and the current time is too large.",
  );
}

function toEpoch(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}

function refused(status: number, code: string, message: string): S3Refusal {
  return { status, code, message };
}

function hash(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
