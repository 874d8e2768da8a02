import type { OutgoingHttpHeaders } from "node:http";
import aws4 from "aws4";

/** Whose signature it is, and where and when it counts. */
export interface Signer {
  access_key_id: string;
  secret_access_key: string;
  session_token?: string | undefined;
  region: string;
  /** Epoch ms. */
  now(): number;
}

/** What is signed. */
export interface Signable {
  method: string;
  /** As in the Host header: with the port, unless it is the scheme's own. */
  host: string;
  /** Encoded, with the query: as it goes over the wire. */
  path: string;
}

/** SHA-256 of no bytes at all. */
export const emptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** What a proxy on the way may change, e.g. accept-encoding, is sent without being signed. */
const signed = /^(host|date|range|content-type|content-md5|x-amz-.+)$/;

/**
 * The headers with those that Signature Version 4 adds: `x-amz-date`, `x-amz-content-sha256`,
 * `x-amz-security-token` and `authorization`. Names are in lower case.
 *
 * @param sha256 of the body, in hex
 */
export function signHeaders(
  { method, host, path }: Signable,
  headers: OutgoingHttpHeaders,
  sha256: string,
  signer: Signer,
): OutgoingHttpHeaders {
  const all: OutgoingHttpHeaders = {
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    host,
    "x-amz-date": toAmzDate(signer.now()),
    "x-amz-content-sha256": sha256,
    ...(signer.session_token !== undefined && { "x-amz-security-token": signer.session_token }),
  };
  const { Authorization } = sign({
    method,
    path,
    headers: Object.fromEntries(Object.entries(all).filter(([name]) => signed.test(name))),
    signer,
  }).headers;
  return { ...all, authorization: Authorization as string };
}

/** The path, encoded and with a query, with which a GET works for so many seconds without credentials. */
export function presignPath(
  { host, path }: Omit<Signable, "method">,
  expires_s: number,
  signer: Signer,
): string {
  const query = `X-Amz-Date=${toAmzDate(signer.now())}&X-Amz-Expires=${expires_s}`;
  const signable = `${path}${path.includes("?") ? "&" : "?"}${query}`;
  return sign({ method: "GET", path: signable, headers: { host }, signer, signQuery: true }).path;
}

function sign({
  signer,
  ...request
}: {
  method: string;
  path: string;
  headers: OutgoingHttpHeaders;
  signer: Signer;
  signQuery?: true;
}): { path: string; headers: OutgoingHttpHeaders } {
  const { access_key_id, secret_access_key, session_token, region } = signer;
  const wanted = {
    ...request,
    service: "s3",
    region,
    // The library leaves it out unless told; the types do not know of it.
    extraHeadersToInclude: { range: true },
  };
  const credentials = {
    accessKeyId: access_key_id,
    secretAccessKey: secret_access_key,
    ...(session_token !== undefined && { sessionToken: session_token }),
  };
  return aws4.sign(wanted, credentials) as { path: string; headers: OutgoingHttpHeaders };
}

/** As in 20130524T000000Z. */
function toAmzDate(epoch_ms: number): string {
  return new Date(epoch_ms).toISOString().replace(/[-:]|\.\d{3}/g, "");
}
