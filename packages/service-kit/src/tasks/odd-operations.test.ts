/** What a service has to survive of its operations, and what may leave it. */
import { writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { createInlineReference, judgeReply } from "@aieffect/control-interface";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import * as z from "zod";
import { defineOperation } from "../index.ts";
import { start } from "../testing/start.ts";

type Body = { status: string; error: string; task_id: string; output: { uri: string; format: string } };

function hostileError(): Error {
  const error = new Error("boom");
  Object.defineProperty(error, "code", {
    enumerable: true,
    get() {
      throw new Error("not even this");
    },
  });
  return error;
}

describe("an operation that throws", () => {
  it.each([
    ["an object without a prototype", () => Object.create(null)],
    ["an error whose message is no text", () => Object.assign(new Error(), { message: { code: 5 } })],
    ["an error with a hostile getter", hostileError],
    ["a symbol", () => Symbol("odd")],
    [
      "a proxy that throws",
      () =>
        new Proxy(
          {},
          {
            get: () => {
              throw new Error("no");
            },
            getPrototypeOf: () => {
              throw new Error("no");
            },
          },
        ),
    ],
  ])("%s is failed in both styles, and its place is free again", async (_name, make) => {
    const run = () => {
      throw make();
    };
    const { execute, call } = await start([
      defineOperation({ name: "Now", run }),
      defineOperation({ name: "Later", style: "concurrent", run }),
    ]);
    const { status, error } = (await execute("Now")).body as Body;
    expect(status).toBe("failed");
    expect(error).not.toBe("");
    await execute("Later", { task_id: "later" });
    await expect.poll(async () => ((await call("/control/status/later")).body as Body).status).toBe("failed");
    expect((await call("/ready")).body).toMatchObject({ running: 0, waiting: 0 });
  });

  it("a text without end is cut", async () => {
    const { execute } = await start([
      defineOperation({
        name: "Long",
        run() {
          throw new Error("x".repeat(1_000_000));
        },
      }),
    ]);
    expect(((await execute("Long")).body as Body).error.length).toBe(4000);
  });
});

describe("a text that is cut", () => {
  it("does not show the part of a key that lies before the cut", async () => {
    const api_key = "s3cret-canary-key";
    const leak = (kept: number) => "x".repeat(kept - 8) + api_key;
    const leaking = defineOperation({
      name: "Leak",
      style: "concurrent",
      run(ctx) {
        ctx.progress(1, leak(1000));
        throw new Error(leak(4000));
      },
    });
    const { execute, call, lines } = await start([leaking], { api_key });
    const headers = { authorization: `Bearer ${api_key}` };
    await execute("Leak", {}, headers);
    await expect
      .poll(async () => ((await call("/control/status/task-1", { headers })).body as Body).status)
      .toBe("failed");
    const shown = JSON.stringify([(await call("/control/status/task-1", { headers })).body, lines()]);
    expect(shown).not.toContain("s3cret");
  });
});

describe("an operation that forgets to await", () => {
  it("fails its task and nothing else", async () => {
    const unhandled: unknown[] = [];
    const hear = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", hear);
    onTestFinished(() => void process.off("unhandledRejection", hear));
    const forgot = defineOperation({
      name: "Forgot",
      run({ publish, inputs }) {
        void publish("{}", { format: "json" });
        void inputs[0]?.text();
        return undefined;
      },
    });
    const { execute, call } = await start([forgot]);
    const inputs = [{ protocol: "file", uri: "/no/such/file", format: "csv" }];
    expect((await execute("Forgot", { inputs })).body).toMatchObject({
      status: "failed",
      error: expect.stringContaining("R-RUN-07"),
    });
    await pause(50);
    expect((await call("/health")).status).toBe(200);
    expect(unhandled).toEqual([]);
  });
});

describe("results", () => {
  it("of several publications in one task are told apart", async () => {
    const two = defineOperation({
      name: "Two",
      async run({ publish }) {
        const main = await publish("a,b\n1,2\n", { format: "csv", name: "main.csv" });
        await publish("<r/>", { format: "xml", name: "more.xml" });
        return main;
      },
    });
    const same = defineOperation({
      name: "Same",
      async run({ publish }) {
        await publish("{}", { format: "json" });
        return publish("[]", { format: "json" });
      },
    });
    const { execute, call } = await start([two, same]);
    await execute("Two");
    const data = await call("/control/data/task-1");
    expect(data.headers.get("content-type")).toBe("text/csv");
    expect(data.body).toBe("a,b\n1,2\n");
    expect((await execute("Same")).body).toMatchObject({
      error: expect.stringContaining("got output.json twice"),
    });
  });

  it("that a file URL names are looked for where it points", async () => {
    const own = (rows: string) =>
      defineOperation({
        name: "Own",
        async run({ folder }) {
          const path = `${await folder()}/own.csv`;
          writeFileSync(path, rows);
          return { protocol: "file", uri: pathToFileURL(path).href, format: "csv" };
        },
      });
    expect((await (await start([own("a\n1\n")])).execute("Own")).body).toMatchObject({ status: "complete" });
    expect((await (await start([own("a\n")])).execute("Own")).body).toMatchObject({
      error: expect.stringContaining("R-RUN-08"),
    });
  });

  it("without a byte are none, except where a format allows it", async () => {
    const empty = (format: "json" | "binary") =>
      defineOperation({ name: format, run: (ctx) => ctx.publish("", { format }) });
    const { execute } = await start([empty("json"), empty("binary")]);
    expect((await execute("json")).body).toMatchObject({
      status: "failed",
      error: expect.stringContaining("R-RUN-07"),
    });
    expect((await execute("binary")).body).toMatchObject({ status: "complete" });
  });

  it("that pass an empty inline CSV on are failed too (R-RUN-08)", async () => {
    const pass = defineOperation({ name: "Pass", run: (ctx) => ctx.inputs[0]?.reference });
    const { execute } = await start([pass]);
    const inputs = [createInlineReference("a,b\n", "csv")];
    expect((await execute("Pass", { inputs })).body).toMatchObject({
      error: expect.stringContaining("R-RUN-08"),
    });
  });

  it("with metadata that is no plain JSON are refused by name", async () => {
    const odd = (value: unknown) =>
      defineOperation({
        name: "Odd",
        run: () =>
          ({ protocol: "s3", uri: "s3://b/k", format: "json", metadata: { deep: { value } } }) as never,
      });
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    for (const value of [new Date(0), new Map(), 10n, Number.NaN, () => 1, cycle]) {
      const { execute } = await start([odd(value)]);
      expect((await execute("Odd")).body).toMatchObject({
        error: expect.stringContaining("Expected metadata.deep.value"),
      });
    }
  });

  it("of a concurrent sink are an output that the deployed orchestrator takes (R-OUT-05)", async () => {
    const { execute, call } = await start([
      defineOperation({ name: "Sink", style: "concurrent", sink: true, run: () => undefined }),
    ]);
    const { task_id } = (await execute("Sink")).body as Body;
    await expect
      .poll(async () => ((await call(`/control/status/${task_id}`)).body as Body).status)
      .toBe("complete");
    const { body } = await call(`/control/output/${task_id}`);
    expect(judgeReply({ kind: "output", body: JSON.stringify(body) }).outcome).toBe("completes");
  });

  it("signed at the start of a long task are valid as long as they are kept (R-SIGN-02)", async () => {
    let now = 1_000_000;
    const slow = defineOperation({
      name: "Slow",
      async run({ publish }) {
        const reference = await publish("{}", { format: "json" });
        now += 150_000;
        return reference;
      },
    });
    const { execute, url } = await start([slow], {
      api_key: "k",
      now: () => now,
      retention: { max_age_s: 100 },
    });
    const { output } = (await execute("Slow", {}, { authorization: "Bearer k" })).body as Body;
    const { pathname, search } = new URL(output.uri);
    now += 100_000;
    expect((await fetch(url + pathname + search)).status).toBe(200);
    now += 60_000;
    expect((await fetch(url + pathname + search)).status).toBe(401);
  });
});

describe("parameters from inline JSON", () => {
  const parameters = z.object({ n: z.number().default(0) });
  const show = defineOperation({
    name: "Show",
    parameters,
    run: (ctx) => ctx.publish(JSON.stringify(ctx.parameters), { format: "json", as: "inline" }),
  });

  it("may begin with a byte order mark", async () => {
    const { execute } = await start([show]);
    const { output } = (await execute("Show", { inputs: [createInlineReference('\uFEFF{"n":7}', "json")] }))
      .body as Body;
    expect(JSON.parse(Buffer.from(output.uri, "base64").toString())).toEqual({ n: 7 });
  });

  it.each([undefined, { formats: ["csv"] as const }])(
    "that do not parse are an error, not no parameters (input %j)",
    async (input) => {
      const { execute } = await start([{ ...show, ...(input && { input }) }]);
      const { body } = await execute("Show", { inputs: [createInlineReference('{"n":1,}', "json")] });
      expect(body).toMatchObject({
        status: "failed",
        error: expect.stringContaining("of format json, to be JSON"),
      });
    },
  );
});

describe("streams", () => {
  it("that were opened and not read do not outlive the task", async () => {
    let closed = false;
    const open = defineOperation({
      name: "Open",
      sink: true,
      async run({ inputs }) {
        const stream = await inputs[0]?.stream();
        stream?.once("close", () => {
          closed = true;
        });
      },
    });
    const folder = await tempFolder();
    writeFileSync(`${folder}/x.csv`, "x".repeat(1_000_000));
    const { execute } = await start([open], { data_roots: [folder] });
    await execute("Open", { inputs: [{ protocol: "file", uri: `${folder}/x.csv`, format: "csv" }] });
    await expect.poll(() => closed).toBe(true);
  });
});
