import { writeFileSync } from "node:fs";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { defineOperation, sequentialService } from "./index.ts";
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

  it("names a log level that there is not", async () => {
    expect((await withEnv({ LOG_LEVEL: "WARN" })).log_level).toBe("silent");
    expect(() => sequentialService({ operations, log_level: "verbose" })).toThrow(
      "LOG_LEVEL) to be one of trace, debug",
    );
  });
});
