import { describe, expect, it } from "vitest";
import { httpxRequest, pythonJson } from "./httpx.ts";

describe("what httpx sends", () => {
  const body = { method: "A", inputs: [{ uri: "/data/é\u007f.csv", size_bytes: null, metadata: {} }] };

  it("is, byte for byte, what a capture of it shows", () => {
    expect(
      httpxRequest("http://127.0.0.1:57375", { method: "POST", path: "/control/execute", token: "k", body }),
    ).toEqual([
      [
        "POST /control/execute HTTP/1.1",
        "Host: 127.0.0.1:57375",
        "Accept: */*",
        "Accept-Encoding: gzip, deflate",
        "Connection: keep-alive",
        "User-Agent: python-httpx/0.27.2",
        "Authorization: Bearer k",
        "Content-Length: 98",
        "Content-Type: application/json",
        "\r\n",
      ].join("\r\n"),
      20,
      '{"method": "A", "inputs": [{"uri": "/data/\\u00e9\\u007f.csv", "size_bytes": null, "metadata": {}}]}',
    ]);
  });

  it("is compact and UTF-8 in newer versions, and has no body with GET", () => {
    expect(pythonJson(body, "compact")).toBe(
      '{"method":"A","inputs":[{"uri":"/data/é\u007f.csv","size_bytes":null,"metadata":{}}]}',
    );
    expect(httpxRequest("http://svc/base/", { method: "GET", path: "/health" })).toEqual([
      expect.stringMatching(
        /^GET \/base\/health HTTP\/1\.1\r\nHost: svc\r\n(?:[\w-]+: .*\r\n)+\r\n$/,
      ) as unknown as string,
    ]);
  });
});
