import { type S3Server, startS3 } from "@aieffect/test-support";
import { describe, expect, it } from "vitest";
import { defineOperation, type PublishOptions, type ServiceOptions } from "./index.ts";
import { resolveOptions } from "./options.ts";
import { start } from "./testing/start.ts";

const csv = "time,kW\n00:00,1.5\n";
const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

const load = defineOperation({ name: "Load", run: (ctx) => ctx.publish(csv, { format: "csv" }) });
const echo = defineOperation({
  name: "Echo",
  run: async ({ inputs, publish }) =>
    publish(JSON.stringify(await inputs[0]?.text()), { format: "json", as: "inline" }),
});

const optionsOf = ({ endpoint, access_key_id, secret_access_key }: S3Server) => ({
  endpoint,
  access_key_id,
  secret_access_key,
  bucket: "results",
  prefix: "energy/",
});

/** What a second service, with these options, makes of what the first publishes. */
async function passOn(
  as: NonNullable<PublishOptions["as"]>,
  first: Partial<ServiceOptions>,
  second: Partial<ServiceOptions>,
) {
  const producer = await start([load], { publish_as: as, ...first });
  const { body } = await producer.execute("Load", {}, { traceparent });
  const { output } = body as { output: Record<string, unknown> & { uri: string } };
  const consumer = await start([echo], second);
  const answer = (await consumer.execute("Echo", { inputs: [output] })).body as {
    output?: { uri: string };
    error?: string;
  };
  const text = answer.output && JSON.parse(Buffer.from(answer.output.uri, "base64").toString());
  return { producer, output, text, error: answer.error };
}

describe("a result in a bucket", () => {
  it("is read there by the next service", async () => {
    const server = await startS3();
    const s3 = optionsOf(server);
    const { output, text } = await passOn("s3", { s3 }, { s3: { ...s3, readable_buckets: ["results"] } });
    expect(output).toMatchObject({ protocol: "s3", format: "csv", size_bytes: csv.length });
    expect(output.uri).toMatch(/^s3:\/\/results\/energy\/wf-1\/task-1\/[\w-]+\/output\.csv$/);
    expect(output.checksum).toMatch(/^sha256:/);
    expect(text).toBe(csv);
    expect(server.requests[0]?.headers.traceparent?.slice(0, 35)).toBe(traceparent.slice(0, 35));
  });

  it("is not read without credentials, nor from a bucket that is not listed", async () => {
    const s3 = optionsOf(await startS3());
    expect((await passOn("s3", { s3 }, {})).error).toContain(
      "found none; set the option `s3` (AWS_ACCESS_KEY_ID",
    );
    expect((await passOn("s3", { s3 }, { s3: { ...s3, readable_buckets: [] } })).error).toContain(
      "inputs are read from these buckets only: none",
    );
  });

  it("is read without credentials where its URL is presigned, dated by the end of the task", async () => {
    const server = await startS3();
    // The store's clock is the system's: what is signed now would have expired ten minutes later.
    let time = Date.now() - 600_000;
    const s3 = { ...optionsOf(server), presign_s: 60 };
    const slow = defineOperation({
      name: "Load",
      async run(ctx) {
        const reference = await ctx.publish(csv, { format: "csv", as: "presigned" });
        time += 600_000;
        return reference;
      },
    });
    const producer = await start([slow], { s3, now: () => time });
    const { output } = (await producer.execute("Load")).body as { output: { uri: string; protocol: string } };
    expect(output.protocol).toBe("http");
    expect(output.uri).toContain(`${s3.endpoint}/results/energy/wf-1/task-1/`);
    expect(output.uri).toContain("X-Amz-Expires=60&");
    const consumer = await start([echo]);
    const { body } = await consumer.execute("Echo", { inputs: [output] });
    expect(body).toMatchObject({ status: "complete" });
  });

  it("fails its task with the store's reason, and with no secret", async () => {
    const server = await startS3();
    const s3 = { ...optionsOf(server), secret_access_key: "another/secret" };
    const { execute, lines } = await start([load], { s3, publish_as: "s3" });
    const { body } = await execute("Load");
    expect(body).toMatchObject({
      status: "failed",
      error: expect.stringContaining("the store answers SignatureDoesNotMatch (HTTP 403)"),
    });
    expect(JSON.stringify([body, lines()])).not.toContain("another/secret");
  });
});

describe("the option s3", () => {
  it("is wanted before anything is written", async () => {
    const message =
      'Expected the option s3 with a bucket (AWS_ACCESS_KEY_ID and so on, S3_BUCKET) to publish as "presigned", found none';
    const publishing = defineOperation({
      name: "Load",
      run: (ctx) => ctx.publish(csv, { format: "csv", as: "presigned" }),
    });
    const { execute } = await start([publishing]);
    expect((await execute("Load")).body).toMatchObject({ status: "failed", error: message });
    await expect(start([load], { publish_as: "s3" })).rejects.toThrow(TypeError);
  });

  it("is read from the environment, by the names that other tools know", () => {
    const read = (env: NodeJS.ProcessEnv) => resolveOptions({ operations: [load] }, "sequential", env).s3;
    const credentials = { AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" };
    expect(read({ AWS_REGION: "eu-west-1", S3_BUCKET: "b" })).toBeUndefined();
    expect(read({ ...credentials, AWS_REGION: "" })).toEqual({
      access_key_id: "key",
      secret_access_key: "secret",
    });
    expect(
      read({
        ...credentials,
        AWS_SESSION_TOKEN: "token",
        AWS_REGION: "eu-west-1",
        AWS_DEFAULT_REGION: "other",
        AWS_ENDPOINT_URL: "http://other:9000",
        AWS_ENDPOINT_URL_S3: "http://minio:9000",
        S3_BUCKET: "results",
        S3_PREFIX: "energy/",
        S3_READABLE_BUCKETS: "results, inputs",
      }),
    ).toEqual({
      access_key_id: "key",
      secret_access_key: "secret",
      session_token: "token",
      region: "eu-west-1",
      endpoint: "http://minio:9000",
      bucket: "results",
      prefix: "energy/",
      readable_buckets: ["results", "inputs"],
    });
    expect(() => read({ AWS_ACCESS_KEY_ID: "key" })).toThrow(
      new TypeError(
        "Expected AWS_SECRET_ACCESS_KEY beside AWS_ACCESS_KEY_ID, found none; set both or neither",
      ),
    );
    expect(() => read({ AWS_SECRET_ACCESS_KEY: "secret" })).toThrow("Expected AWS_ACCESS_KEY_ID beside");
  });

  it("has no members that nobody knows", async () => {
    const s3 = { ...optionsOf(await startS3()), buckets: ["results"] };
    await expect(start([load], { s3 })).rejects.toThrow(
      /^Expected the option s3 to have only .*; got buckets$/,
    );
  });
});
