import { writeFileSync } from "node:fs";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { defineOperation, sequentialService, serve } from "./index.ts";
import { start } from "./testing/start.ts";

describe("configuration", () => {
  const operations = [defineOperation({ name: "A", sink: true, run: () => undefined })];
  const withEnv = async (env: Record<string, string>) => {
    const before = { ...process.env };
    Object.assign(process.env, env);
    try {
      const service = sequentialService({ operations, log_level: "silent" });
      onTestFinished(() => service.close());
      return service.parts.options;
    } finally {
      for (const name of Object.keys(env)) delete process.env[name];
      Object.assign(process.env, before);
    }
  };

  it("reads the key from a file, and never starts open when it cannot (R-ENV-04)", async () => {
    const folder = await tempFolder();
    writeFileSync(`${folder}/key`, "s3cret\n");
    writeFileSync(`${folder}/empty`, "\n");
    expect((await withEnv({ SERVICE_API_KEY_FILE: `${folder}/key` })).api_keys).toEqual(["s3cret"]);
    expect((await withEnv({ SERVICE_API_KEY: " s3cret\n" })).api_keys).toEqual(["s3cret"]);
    await expect(withEnv({ SERVICE_API_KEY_FILE: `${folder}/none` })).rejects.toThrow("readable file");
    await expect(withEnv({ SERVICE_API_KEY_FILE: `${folder}/empty` })).rejects.toThrow("to hold a key");
    await expect(
      withEnv({ SERVICE_API_KEY_FILE: `${folder}/key`, SERVICE_API_KEY: "other" }),
    ).rejects.toThrow("different keys");
  });

  const run = () => undefined;
  it.each([
    [{ operations: undefined }, "operations to be a list"],
    [
      { operations: [{ name: "A", run, style: "parallel" }] },
      'style of A to be "sequential" or "concurrent", got "parallel"',
    ],
    [{ operations: [{ name: "A", run, inputs: {} }] }, "got inputs"],
    [
      { operations: [{ name: "A", run, input: { formats: "csv" } }] },
      "formats of the input of A to be a list",
    ],
    [{ operations: [{ name: "A", run, input: { formats: ["CSV"] } }] }, "in lower case"],
    [{ operations: [{ name: "A", run, parameters: { column: "string" } }] }, "to be a zod schema"],
    [{ operations, datadir: "x" }, "got datadir"],
    [{ operations, store: "redis" }, "TASK_STORE to be"],
    [{ operations, publish_as: "ftp" }, "publish_as"],
    [
      { operations, self_url: "http://a b" },
      'self_url (SELF_URL) to be an http or https URL, got "http://a b"',
    ],
    [{ operations, self_url: "http://a:99999" }, "self_url (SELF_URL) to be an http or https URL"],
    [{ operations, self_url: "http://a/?b=1" }, "self_url (SELF_URL) to end with its path, found ?b=1"],
    [{ operations, self_url: "http://a/#b" }, "self_url (SELF_URL) to end with its path, found #b"],
    [{ operations, max_running: "4" }, "max_running to be a number above 0, got 4"],
    [{ operations, max_queued: "4" }, "max_queued to be a number of at least 0, got 4"],
    [{ operations, data_roots: "/mnt" }, "data_roots to be a list of folders, got /mnt"],
    [{ operations, name: "" }, "name to be a text"],
    [{ operations, name: "../a", log_dir: "x" }, "name to be the name of a file"],
    [{ operations, retention: null }, "retention to be an object"],
    [{ operations, retention: { max_age: 1 } }, "retention to have only max_age_s, max_tasks"],
    [{ operations, retention: { max_age_s: "60" } }, "retention.max_age_s to be a number above 0"],
    [
      { operations, retention: { max_age_s: Number.POSITIVE_INFINITY } },
      "retention.max_age_s to be a number above 0 and at most 3153600000 (100 years), got Infinity",
    ],
    [{ operations, store: "redis://" }, "redis://host:6379, with user:password@ before the host"],
  ])("says what is wrong with %j", (options, message) => {
    expect(() => sequentialService(options as never)).toThrow(message);
  });

  it.each([
    [undefined, "Expected a format to publish, one of json, csv"],
    [{ format: "txt" }, "got txt"],
    [{ format: "json", as: "ftp" }, 'got "ftp"'],
  ])("says what is wrong with publish(content, %j)", async (options, message) => {
    const { execute } = await start([
      defineOperation({ name: "P", run: (ctx) => ctx.publish("x", options as never) }),
    ]);
    expect((await execute("P")).body).toMatchObject({
      status: "failed",
      error: expect.stringContaining(message),
    });
  });

  it.each([-1, Number.NaN, 2 ** 31, Number.POSITIVE_INFINITY])(
    "serve() refuses grace_ms %s",
    async (grace_ms) => {
      const service = sequentialService({ operations, log_level: "silent" });
      onTestFinished(() => service.close());
      await expect(serve(service, { port: 0, grace_ms })).rejects.toThrow(
        `Expected grace_ms to be at least 0 and below 2^31 (25 days), got ${grace_ms}`,
      );
    },
  );

  it.each([
    ["192.0.2.1", "EADDRNOTAVAIL"],
    // EAI_AGAIN where there is no network.
    ["no-such-host.invalid", "ENOTFOUND|EAI_AGAIN"],
  ])("serve() says that it cannot listen on %s", async (host, code) => {
    const service = sequentialService({ operations, log_level: "silent" });
    onTestFinished(() => service.close());
    await expect(serve(service, { port: 0, host })).rejects.toThrow(
      new RegExp(
        `^Expected HOST to be an address of this machine, found ${host} \\((${code})\\); set it to 0.0.0.0 for all of them$`,
      ),
    );
  });

  it("says that a folder for the log cannot be one", async () => {
    const file = `${await tempFolder()}/file`;
    writeFileSync(file, "");
    await expect(withEnv({ LOG_DIR: `${file}/log` })).rejects.toThrow(
      `Expected log_dir (LOG_DIR) to be a folder that can be made, found ${file}/log: ENOTDIR`,
    );
  });

  it("names a log level that there is not", async () => {
    expect((await withEnv({ LOG_LEVEL: "WARN" })).log_level).toBe("silent");
    expect(() => sequentialService({ operations, log_level: "verbose" })).toThrow(
      "LOG_LEVEL) to be one of trace, debug",
    );
  });
});
