import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { type S3Request, type S3Server, startS3, tempFolder } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  createFilePlane,
  type FilePlaneOptions,
  type S3Options,
  toHttpReference,
  toS3Reference,
} from "../index.ts";

const csv = "time,kW\n00:00,1.5\n00:15,1.75\n";
const to = (uri: string) => ({ protocol: "s3", uri, format: "csv" }) as const;

async function startPlane(options: Partial<FilePlaneOptions> = {}) {
  const plane = createFilePlane({ data_dir: await tempFolder(), fetch_backoff_ms: 1, ...options });
  onTestFinished(() => plane.close());
  const folder = await plane.createTaskFolder("wf-1", "task_1");
  const read = async (uri: string) => text(await plane.open(to(uri)));
  return { plane, folder, read };
}

const optionsOf = ({ endpoint, access_key_id, secret_access_key }: S3Server): S3Options => ({
  endpoint,
  access_key_id,
  secret_access_key,
  bucket: "results",
});

/** A payload that lies in a bucket. */
async function publish(server: S3Server, content: string, options: Partial<FilePlaneOptions> = {}) {
  const { plane, folder } = await startPlane({ s3: optionsOf(server), ...options });
  const stored = await plane.store(content, { folder, name: "load.csv", format: "csv" });
  const object = await plane.putObject(stored, { ids: ["wf-1", "task_1", "handle"] });
  return { plane, stored, object, reference: toS3Reference(stored, object, { metadata: { rows: 2 } }) };
}

describe("a payload in a bucket", () => {
  it("is read by another service, verified", async () => {
    const server = await startS3();
    const { reference, stored } = await publish(server, csv);
    expect(reference).toEqual({
      protocol: "s3",
      uri: "s3://results/wf-1/task_1/handle/load.csv",
      format: "csv",
      size_bytes: csv.length,
      checksum: stored.checksum,
      metadata: { rows: 2 },
    });
    const { plane, folder } = await startPlane({
      s3: { ...optionsOf(server), readable_buckets: ["results"] },
    });
    expect(await text(await plane.open(reference))).toBe(csv);
    expect(await readFile(await plane.localPath(reference, folder), "utf8")).toBe(csv);
    await expect(
      plane.open({ ...reference, checksum: `sha256:${"0".repeat(64)}` }).then(text),
    ).rejects.toThrow("Expected s3://results/wf-1/task_1/handle/load.csv to have checksum sha256:000");
  });

  it("is read by whoever has its presigned URL, without credentials", async () => {
    const server = await startS3();
    const { plane, stored, object } = await publish(server, csv);
    const reference = toHttpReference(stored, plane.presign(object));
    expect(reference).toMatchObject({ protocol: "http", size_bytes: csv.length, checksum: stored.checksum });
    expect(reference.uri).toContain("X-Amz-Expires=86400");
    expect(await (await fetch(reference.uri)).text()).toBe(csv);
    const { plane: other, folder } = await startPlane();
    expect(await text(await other.open(reference))).toBe(csv);
    expect(await readFile(await other.localPath(reference, folder), "utf8")).toBe(csv);
  });

  it("is not read with a presigned URL that has expired, or was changed", async () => {
    const server = await startS3();
    const yesterday = () => Date.now() - 86_400_000;
    const { object, stored } = await publish(server, csv);
    const { plane: earlier } = await startPlane({
      s3: { ...optionsOf(server), presign_s: 3600 },
      now: yesterday,
    });
    const { plane } = await startPlane();
    const path = `${server.endpoint}/results/${object.key}`;
    await expect(plane.open(toHttpReference(stored, earlier.presign(object)))).rejects.toMatchObject({
      code: "unreadable_reference",
      message: `Cannot read ${path}: expected HTTP 200, found 403 (AccessDenied: Request has expired); the signature may have expired, or the key may be another's`,
    });
    const changed = earlier.presign(object).replace("X-Amz-Expires=3600", "X-Amz-Expires=604800");
    await expect(plane.open(toHttpReference(stored, changed))).rejects.toThrow(
      "found 403 (SignatureDoesNotMatch:",
    );
  });

  it("is read on from where the connection was cut", async () => {
    const long = csv.repeat(20_000);
    const cuts = [{ cut_after: 300_000 }, { cut_after: 100_000 }];
    const server = await startS3({ fault: ({ method }) => (method === "GET" ? cuts.shift() : undefined) });
    const { reference } = await publish(server, long);
    const { plane } = await startPlane({ s3: optionsOf(server) });
    expect(await text(await plane.open(reference))).toBe(long);
    const ranges = server.requests
      .filter(({ method }) => method === "GET")
      .map(({ headers }) => headers.range);
    expect(ranges.length).toBe(3);
    expect(ranges[0]).toBeUndefined();
    const [, first, second] = ranges.map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1]));
    expect(first).toBeGreaterThan(0);
    expect(second).toBeGreaterThan(first as number);
    expect(server.requests.every(({ refusal }) => refusal === undefined)).toBe(true);
  });

  it("is read again while the store is busy", async () => {
    const error = (code: string) => `<Error><Code>${code}</Code></Error>`;
    const faults = [
      { status: 503, body: error("SlowDown") },
      { status: 400, body: error("RequestTimeout") },
    ];
    const server = await startS3({ fault: ({ method }) => (method === "GET" ? faults.shift() : undefined) });
    const { reference } = await publish(server, csv);
    const { plane } = await startPlane({ s3: optionsOf(server) });
    expect(await text(await plane.open(reference))).toBe(csv);
    expect(faults).toEqual([]);
  });
});

describe("a key is no path", () => {
  it.each([
    ["a b/c+d.csv", "/results/a%20b/c%2Bd.csv"],
    ["100%/50%20.csv", "/results/100%25/50%2520.csv"],
    ["läufe/東京/😀", "/results/l%C3%A4ufe/%E6%9D%B1%E4%BA%AC/%F0%9F%98%80"],
    ["/a//b/", "/results//a//b/"],
    ["./a/../b/.", "/results/./a/../b/."],
    ["../../etc/passwd", "/results/../../etc/passwd"],
    ["%2e%2e/a", "/results/%252e%252e/a"],
    ["a?b#c&d=e;f:g@h,i$j", "/results/a%3Fb%23c%26d%3De%3Bf%3Ag%40h%2Ci%24j"],
    ["!'()*~-_.", "/results/%21%27%28%29%2A~-_."],
    ["a\\b\u0001\n", "/results/a%5Cb%01%0A"],
  ])("%j is asked for as it stands, and signed", async (key, path) => {
    // What the store makes of such keys in its folder is its own affair; here it is what is asked of it.
    const fault = ({ url }: S3Request) => ({ status: 200, body: url });
    const server = await startS3({ fault });
    const { read } = await startPlane({ s3: optionsOf(server) });
    expect(await read(`s3://results/${key}`)).toBe(path);
  });
});

describe("what cannot be read", () => {
  const now = () => Date.now() - 20 * 60_000;

  it.each<[string, Partial<S3Options>, Partial<FilePlaneOptions>, string]>([
    [
      "s3://results/none.csv",
      {},
      {},
      "Cannot read s3://results/none.csv: the store answers NoSuchKey (HTTP 404): The specified key does not exist; was it dropped by a lifecycle rule of the bucket, or is the key misspelled?",
    ],
    [
      "s3://nowhere/a.csv",
      {},
      {},
      "Cannot read s3://nowhere/a.csv: the store answers NoSuchBucket (HTTP 404): The specified bucket does not exist; is the name nowhere right, and `endpoint` (AWS_ENDPOINT_URL_S3) the store that has it?",
    ],
    [
      "s3://results/a.csv",
      { secret_access_key: "another+secret" },
      {},
      "Cannot read s3://results/a.csv: the store answers SignatureDoesNotMatch (HTTP 403): The request signature we calculated does not match the signature you provided. Check your key and signing method; check `secret_access_key` (AWS_SECRET_ACCESS_KEY), and that no proxy on the way changes path or Host",
    ],
    [
      "s3://results/a.csv",
      { access_key_id: "ANOTHER" },
      {},
      "Cannot read s3://results/a.csv: the store answers InvalidAccessKeyId (HTTP 403): The AWS Access Key Id you provided does not exist in our records; check `access_key_id` (AWS_ACCESS_KEY_ID), and that `endpoint` is the store that gave it out",
    ],
    [
      "s3://results/a.csv",
      { session_token: "token" },
      {},
      "Cannot read s3://results/a.csv: the store answers InvalidToken (HTTP 400): The provided token is malformed or otherwise invalid; get new temporary credentials (AWS_SESSION_TOKEN) and start again with them",
    ],
    [
      "s3://results/a.csv",
      { region: "eu-west-1" },
      {},
      "Cannot read s3://results/a.csv: the store answers AuthorizationHeaderMalformed (HTTP 400): The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-east-1'; bucket results is in us-east-1: set `region` (AWS_REGION, now eu-west-1) to that",
    ],
    [
      "s3://results/a.csv",
      {},
      { now },
      "Cannot read s3://results/a.csv: the store answers RequestTimeTooSkewed (HTTP 403): The difference between the request time and the current time is too large; set this machine's clock: it differs too much from the store's",
    ],
    [
      "s3://private/a.csv",
      { readable_buckets: ["results", "inputs"] },
      {},
      "Refused to read s3://private/a.csv: inputs are read from these buckets only: results, inputs; put it there, or add its bucket with the option `s3.readable_buckets`",
    ],
    [
      "s3://results/a.csv",
      { endpoint: "http://169.254.169.254" },
      {},
      "Refused to call 169.254.169.254: link-local and metadata addresses are never called",
    ],
    [
      "s3://results/a.csv",
      {},
      { s3: undefined as never },
      "Cannot read s3://results/a.csv: expected credentials for its store, found none; set the option `s3` (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, and AWS_REGION or AWS_ENDPOINT_URL_S3 of a service), or ask the service before for a presigned URL",
    ],
  ])("%s with %j %j", async (uri, s3, options, message) => {
    const server = await startS3();
    const { plane, folder } = await startPlane({ s3: { ...optionsOf(server), ...s3 }, ...options });
    for (const attempt of [plane.open(to(uri)), plane.localPath(to(uri), folder)])
      await expect(attempt).rejects.toMatchObject({ code: "unreadable_reference", message });
    expect(server.requests.length).toBeLessThanOrEqual(2);
  });

  it("is an object of another region, said by a redirect that leads nowhere", async () => {
    const fault = () => ({
      status: 301,
      headers: { "x-amz-bucket-region": "eu-north-1", location: "http://169.254.169.254/" },
      body: "<Error><Code>PermanentRedirect</Code><Message>Use another endpoint.</Message><Endpoint>x</Endpoint></Error>",
    });
    const { read } = await startPlane({ s3: optionsOf(await startS3({ fault })) });
    await expect(read("s3://results/a")).rejects.toThrow(
      "the store answers PermanentRedirect (HTTP 301): Use another endpoint; bucket results is in eu-north-1: set `region` (AWS_REGION, now us-east-1) to that",
    );
  });

  it("is a uri without a key, or without a bucket", async () => {
    const { read } = await startPlane();
    for (const uri of ["s3://results", "s3:///a.csv"])
      await expect(read(uri)).rejects.toMatchObject({ code: "invalid_reference" });
  });

  it("is more than `max_fetch_bytes`", async () => {
    const server = await startS3();
    const { reference } = await publish(server, csv);
    const { plane } = await startPlane({ s3: optionsOf(server), max_fetch_bytes: 10 });
    await expect(plane.open(reference)).rejects.toThrow(
      `Cannot read ${reference.uri}: expected at most 10 bytes, found ${csv.length}`,
    );
  });
});

describe("the option s3", () => {
  const s3 = { access_key_id: "key", secret_access_key: "not/for+show" };

  it.each<[Partial<S3Options>, string]>([
    [
      { secret_access_key: "not for show" },
      "s3.secret_access_key (AWS_SECRET_ACCESS_KEY) to be printable ASCII",
    ],
    [{ access_key_id: "" }, "s3.access_key_id (AWS_ACCESS_KEY_ID) to be printable ASCII"],
    [{ session_token: "\n" }, "s3.session_token (AWS_SESSION_TOKEN) to be printable ASCII"],
    [{ endpoint: "minio:9000" }, 'as in http://minio:9000, got "minio:9000"'],
    [{ endpoint: "http://key:not/for+show@minio" }, "without user and query"],
    [{ endpoint: "http://minio?not/for+show" }, 'got "http://minio"'],
    [{ region: "eu west" }, 'as in us-east-1, got "eu west"'],
    [{ bucket: "a/b" }, 'names of buckets, got "a/b"'],
    [{ readable_buckets: [""] }, 'names of buckets, got ""'],
    [{ prefix: "/energy" }, 'got "/energy"'],
    [{ prefix: "a/../b/" }, 'got "a/../b/"'],
    [{ prefix: "a//" }, 'got "a//"'],
    [{ presign_s: 604_801 }, "an integer of 1 to 604800, the 7 days that S3 allows, got 604801"],
    [{ presign_s: 0.5 }, "got 0.5"],
  ])("is refused with %j, without a secret in the message", (given, message) => {
    const create = () => createFilePlane({ data_dir: "./data", s3: { ...s3, ...given } });
    expect(create).toThrow(TypeError);
    expect(create).toThrow(message);
    expect(create).not.toThrow("not/for+show");
  });

  it("has the defaults of AWS: https, the region's endpoint, the bucket in the host's name", async () => {
    const object = { bucket: "results", key: "a b.csv" };
    const urlWith = async (more: Partial<S3Options>) =>
      (await startPlane({ s3: { ...s3, ...more } })).plane.presign(object).split("?")[0];
    expect(await urlWith({})).toBe("https://results.s3.us-east-1.amazonaws.com/a%20b.csv");
    expect(await urlWith({ region: "cn-north-1" })).toBe(
      "https://results.s3.cn-north-1.amazonaws.com.cn/a%20b.csv",
    );
    expect(await urlWith({ endpoint: "http://minio:9000/" })).toBe("http://minio:9000/results/a%20b.csv");
    expect(await urlWith({ path_style: true })).toBe("https://s3.us-east-1.amazonaws.com/results/a%20b.csv");
  });

  it("is wanted, with a bucket, before anything is published", async () => {
    const object = { bucket: "results", key: "a" };
    const none = await startPlane();
    expect(none.plane.bucket).toBeUndefined();
    expect(() => none.plane.presign(object)).toThrow(TypeError);
    for (const { plane, folder } of [none, await startPlane({ s3 })]) {
      const stored = await plane.store(csv, { folder, format: "csv" });
      await expect(plane.putObject(stored, { ids: [] })).rejects.toThrow(
        new TypeError(
          "Expected the option s3 with a bucket to publish to (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and S3_BUCKET of a service), got none",
        ),
      );
    }
  });
});
