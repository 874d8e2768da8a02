import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInlineReference, type DataReference } from "@aieffect/control-interface";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, expectTypeOf, it, onTestFinished } from "vitest";
import * as z from "zod";
import { defineOperation } from "./index.ts";
import { start } from "./testing/start.ts";

const inline = (value: unknown, format: "json" | "csv" = "json") =>
  createInlineReference(typeof value === "string" ? value : JSON.stringify(value), format);

type Body = { status: string; error: string; output: DataReference };

/** Runs an operation that shows what it was given. */
async function show(
  fields: Record<string, unknown>,
  operation: Partial<Parameters<typeof defineOperation<Record<string, unknown>>>[0]> = {},
) {
  const shown = defineOperation<Record<string, unknown>>({
    name: "Show",
    run: (ctx) => {
      const seen = {
        parameters: ctx.parameters,
        inputs: ctx.inputs.map(({ reference }) => reference.format),
      };
      return ctx.publish(JSON.stringify(seen), { format: "json", as: "inline" });
    },
    ...operation,
  });
  const { execute } = await start([shown]);
  const body = (await execute("Show", fields)).body as Body;
  return body.status === "complete"
    ? JSON.parse(Buffer.from(body.output.uri, "base64").toString())
    : body.error;
}

describe("parameters", () => {
  const parameters = z.object({
    threshold: z.number().default(0.5),
    mode: z.enum(["fast", "full"]).optional(),
  });

  it("come from the request, with defaults, unknown ones ignored", async () => {
    expect((await show({}, { parameters })).parameters).toEqual({ threshold: 0.5 });
    expect((await show({ parameters: { mode: "fast", other: 1 } }, { parameters })).parameters).toEqual({
      threshold: 0.5,
      mode: "fast",
    });
  });

  it("come from an inline JSON input, which is no data where the operation declares its inputs", async () => {
    const inputs = [inline({ threshold: 0.9 }), inline("a,b\n1,2\n", "csv")];
    expect(await show({ inputs }, { parameters, input: { formats: ["csv"] } })).toEqual({
      parameters: { threshold: 0.9 },
      inputs: ["csv"],
    });
    expect(await show({ inputs }, { parameters })).toEqual({
      parameters: { threshold: 0.9 },
      inputs: ["json", "csv"],
    });
  });

  it("of the request win over those of inputs, later inputs over earlier ones", async () => {
    const inputs = [inline({ threshold: 1, mode: "full" }), inline({ threshold: 2 })];
    expect((await show({ inputs, parameters: { mode: "fast" } }, { parameters })).parameters).toEqual({
      threshold: 2,
      mode: "fast",
    });
  });

  it("that are wrong fail the task and are named, each of them", async () => {
    const error = await show({ parameters: { threshold: "high", mode: "slow" } }, { parameters });
    expect(error).toContain("Invalid parameters of Show. threshold: ");
    expect(error).toContain("mode: ");
  });

  it("are typed by their schema", () => {
    defineOperation({
      name: "Typed",
      parameters,
      sink: true,
      run(ctx) {
        expectTypeOf(ctx.parameters).toEqualTypeOf<{
          threshold: number;
          mode?: "fast" | "full" | undefined;
        }>();
      },
    });
  });
});

describe("inputs", () => {
  it("that the operation does not take fail the task, saying what was expected", async () => {
    const input = { protocols: ["file"], formats: ["csv"] } as const;
    expect(await show({ inputs: [inline("x", "csv")] }, { input })).toBe(
      "Expected input 1 to have protocol file and format csv, found inline and csv",
    );
    expect(
      await show({ inputs: [inline([1])] }, { input: [{ formats: ["json"] }, { formats: ["csv", "json"] }] }),
    ).toEqual({
      parameters: {},
      inputs: ["json"],
    });
    expect(await show({ inputs: [inline([1])] }, { input: { formats: ["csv"] } })).toBe(
      "Expected input 1 to have format csv, found inline and json",
    );
    const two = [inline("x", "csv"), inline("y", "csv")];
    expect(await show({ inputs: two }, { input: [{ formats: ["csv"] }] })).toContain("Expected input 2");
  });

  it("are read when asked for: as stream, bytes, text, JSON or path", async () => {
    const folder = await tempFolder();
    await writeFile(`${folder}/rows.csv`, "a,b\n1,2\n");
    const source = createServer((_request, response) => response.end("a,b\n3,4\n"));
    await new Promise<void>((resolve) => source.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void source.close());
    const http = `http://127.0.0.1:${(source.address() as AddressInfo).port}/rows`;
    const read = defineOperation({
      name: "Read",
      async run({ inputs, publish }) {
        const [file, remote, json] = inputs;
        let streamed = "";
        for await (const chunk of (await remote?.stream()) ?? []) streamed += chunk;
        const seen = {
          text: await file?.text(),
          bytes: (await remote?.bytes())?.length,
          streamed,
          json: await json?.json(),
          paths: [await file?.path(), await remote?.path()],
        };
        return publish(JSON.stringify(seen), { format: "json", as: "inline" });
      },
    });
    const { execute, folder: data } = await start([read], { data_roots: [folder] });
    const inputs = [
      { protocol: "file", uri: `${folder}/rows.csv`, format: "csv" },
      { protocol: "http", uri: http, format: "csv" },
      inline([{ deep: 1 }]),
    ];
    const { output } = (await execute("Read", { inputs })).body as Body;
    const seen = JSON.parse(Buffer.from(output.uri, "base64").toString());
    expect(seen).toMatchObject({ text: "a,b\n1,2\n", bytes: 8, streamed: "a,b\n3,4\n", json: [{ deep: 1 }] });
    expect(seen.paths[0]).toBe(`${folder}/rows.csv`);
    expect(seen.paths[1].startsWith(data)).toBe(true);
  });

  it.each([
    [{ protocol: "file", uri: "/etc/hostname", format: "csv" }, "DATA_ROOTS"],
    [{ protocol: "file", uri: "no-such.csv", format: "csv" }, "no-such.csv"],
    [{ protocol: "http", uri: "http://169.254.169.254/latest", format: "csv" }, "never called"],
    [{ protocol: "http", uri: "http://127.0.0.1:1/x", format: "csv" }, "127.0.0.1:1"],
    [{ protocol: "mqtt", uri: "mqtt://broker/topic", format: "csv" }, "mqtt"],
  ])("that cannot be read fail the task and say why: %j", async (reference, reason) => {
    const read = defineOperation({
      name: "Read",
      run: async (ctx) => ctx.publish((await ctx.inputs[0]?.text()) ?? "", { format: "csv" }),
    });
    const { execute } = await start([read], { fetch_retries: 0 });
    expect((await execute("Read", { inputs: [reference] })).body).toMatchObject({
      status: "failed",
      error: expect.stringContaining(reason),
    });
  });

  it("larger than an operation wants in memory are refused, with what to do", async () => {
    const read = defineOperation({
      name: "Read",
      sink: true,
      run: async (ctx) => void (await ctx.inputs[0]?.bytes(3)),
    });
    const { execute } = await start([read]);
    expect((await execute("Read", { inputs: [inline("long", "csv")] })).body).toMatchObject({
      error: "Expected an input of at most 3 bytes, found more; read it with stream() or path()",
    });
  });

  it("that are passed on unchanged are complete as they are", async () => {
    const pass = defineOperation({ name: "Pass", run: (ctx) => ctx.inputs[0]?.reference });
    const { execute } = await start([pass]);
    const reference = { protocol: "s3", uri: "s3://bucket/key", format: "csv", metadata: { a: 1 } };
    expect((await execute("Pass", { inputs: [reference] })).body).toEqual({
      status: "complete",
      output: reference,
    });
  });
});

describe("publish", () => {
  it.each(["file", "http", "inline"] as const)("as %s gives size, checksum and metadata", async (as) => {
    const give = defineOperation({
      name: "Give",
      async run(ctx) {
        async function* rows() {
          yield "a,b\n";
          yield Buffer.from("1,2\n");
        }
        return ctx.publish(rows(), { format: "csv", as, metadata: { rows: 1 } });
      },
    });
    const { execute, call } = await start([give]);
    const { output } = (await execute("Give")).body as Body;
    expect(output).toMatchObject({
      protocol: as,
      format: "csv",
      size_bytes: 8,
      checksum: "sha256:492d5ea496056f1a6a6592241032fab764c321596317930b4fa0e1e8bc3b7470",
      metadata: { rows: 1 },
    });
    expect((await call("/control/data/task-1")).body).toBe("a,b\n1,2\n");
  });

  it("refuses a progress that is no number, and a name that leaves the folder", async () => {
    const odd = defineOperation({ name: "Odd", sink: true, run: (ctx) => ctx.progress("50%" as never) });
    const name = defineOperation({
      name: "Name",
      run: (ctx) => ctx.publish("{}", { format: "json", name: "../x.json" }),
    });
    const { execute } = await start([odd, name]);
    expect((await execute("Odd")).body).toMatchObject({
      error: "Expected progress to be a number from 0 to 100, got 50%",
    });
    expect((await execute("Name")).body).toMatchObject({
      status: "failed",
      error: expect.stringContaining("../x.json"),
    });
  });
});

describe("self-description (R-OPS-01)", () => {
  it("tells operations, their parameters, and the extensions", async () => {
    const train = defineOperation({
      name: "Train",
      style: "concurrent",
      input: { protocols: ["http"], formats: ["csv"] },
      output: { protocols: ["inline"], formats: ["json"] },
      parameters: z.object({ epochs: z.int().min(1).default(10) }),
      run: () => undefined,
    });
    const { call } = await start([train, defineOperation({ name: "Any", sink: true, run: () => undefined })]);
    expect((await call("/control/operations")).body).toEqual({
      operations: [
        {
          name: "Train",
          style: "concurrent",
          sink: false,
          parameters: {
            type: "object",
            properties: { epochs: expect.objectContaining({ type: "integer", default: 10, minimum: 1 }) },
          },
          inputs: [{ protocols: ["http"], formats: ["csv"] }],
          output: { protocols: ["inline"], formats: ["json"] },
        },
        {
          name: "Any",
          style: "sequential",
          sink: true,
          parameters: { type: "object" },
          inputs: [],
          output: { protocols: [], formats: [] },
        },
      ],
      extensions: ["wait", "events", "idempotency", "cancel", "ranges", "upload"],
    });
  });
});
