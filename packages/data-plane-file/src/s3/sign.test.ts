import { describe, expect, it } from "vitest";
import { emptySha256, presignPath, type Signer, signHeaders } from "./sign.ts";

/** The examples that AWS publishes for Signature Version 4 of S3, "Examples: Signature Calculations". */
const signer: Signer = {
  access_key_id: "AKIAIOSFODNN7EXAMPLE",
  secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  region: "us-east-1",
  now: () => Date.UTC(2013, 4, 24),
};
const host = "examplebucket.s3.amazonaws.com";
const signatureOf = (headers: ReturnType<typeof signHeaders>) =>
  /SignedHeaders=(\S+), Signature=([\da-f]{64})$/.exec(String(headers.authorization))?.slice(1);

describe("AWS's published examples", () => {
  it("signs GET Object with a range", () => {
    const headers = signHeaders(
      { method: "GET", host, path: "/test.txt" },
      { Range: "bytes=0-9" },
      emptySha256,
      signer,
    );
    expect(headers).toEqual({
      host,
      range: "bytes=0-9",
      "x-amz-date": "20130524T000000Z",
      "x-amz-content-sha256": emptySha256,
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, " +
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, " +
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    });
  });

  it("signs PUT Object", () => {
    const sent = { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" };
    const sha256 = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    // As it goes over the wire; the example writes the key, test$file.text.
    const headers = signHeaders({ method: "PUT", host, path: "/test%24file.text" }, sent, sha256, signer);
    expect(signatureOf(headers)).toEqual([
      "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ]);
  });

  it.each([
    [
      "GET Bucket Lifecycle",
      "/?lifecycle",
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ],
    [
      "GET Bucket (List Objects)",
      "/?max-keys=2&prefix=J",
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ],
  ])("signs %s", (_name, path, signature) => {
    const headers = signHeaders({ method: "GET", host, path }, {}, emptySha256, signer);
    expect(signatureOf(headers)).toEqual(["host;x-amz-content-sha256;x-amz-date", signature]);
  });

  it("presigns GET Object", () => {
    expect(presignPath({ host, path: "/test.txt" }, 86_400, signer)).toBe(
      "/test.txt?X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-Algorithm=AWS4-HMAC-SHA256" +
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
        "&X-Amz-SignedHeaders=host" +
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    );
  });
});

describe("temporary credentials", () => {
  const temporary = { ...signer, session_token: "Fwo+/=token" };

  it("send their token with a header, signed", () => {
    const headers = signHeaders({ method: "GET", host, path: "/a" }, {}, emptySha256, temporary);
    expect(headers["x-amz-security-token"]).toBe("Fwo+/=token");
    expect(signatureOf(headers)?.[0]).toBe("host;x-amz-content-sha256;x-amz-date;x-amz-security-token");
  });

  it("have it in a presigned URL", () => {
    expect(presignPath({ host, path: "/a" }, 60, temporary)).toContain(
      "&X-Amz-Security-Token=Fwo%2B%2F%3Dtoken&",
    );
  });
});

it("leaves out of the signature what a proxy may change", () => {
  const headers = signHeaders(
    { method: "GET", host, path: "/a" },
    { "accept-encoding": "identity", accept: "*/*", traceparent: "00-1-2-3" },
    emptySha256,
    signer,
  );
  expect(headers).toMatchObject({ "accept-encoding": "identity", accept: "*/*", traceparent: "00-1-2-3" });
  expect(signatureOf(headers)?.[0]).toBe("host;x-amz-content-sha256;x-amz-date");
});
