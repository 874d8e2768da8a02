/** Uploads through every door, and what becomes of them. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { ControlError, type DataReference } from "@aieffect/control-interface";
import { hasSmallDisks, needs, onSmallDisk, tempFolder, until } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { createMemoryStore, defineOperation, sequentialService } from "./index.ts";
import { doors, gate, type Started, start } from "./testing/start.ts";

const csv = "time,kW\n00:00,1.5\n00:15,1.75\n";
const checksum = `sha256:${createHash("sha256").update(csv).digest("hex")}`;

const count = defineOperation({
  name: "CountRows",
  input: { formats: ["csv"] },
  async run({ inputs, publish }) {
    const rows = (await inputs[0]?.text())?.trim().split("\n").length ?? 0;
    return publish(String(rows - 1), { format: "json", as: "inline" });
  },
});

function form(fields: Record<string, string> = {}, content = csv, name = "load.csv"): FormData {
  const built = new FormData();
  for (const [key, value] of Object.entries(fields)) built.append(key, value);
  built.append("file", new File([content], name));
  return built;
}

type Answer = Awaited<ReturnType<Started["call"]>> & { body: DataReference & { detail: unknown } };

function upload({ call }: Started, body: FormData | string = form(), headers: Record<string, string> = {}) {
  return call("/control/data", { method: "POST", body, headers }) as Promise<Answer>;
}

const boundary = { "content-type": "multipart/form-data; boundary=b" };
const begin = `--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n`;
const end = "\r\n--b--\r\n";

/** Begins an upload whose end comes when the test wants it, if ever. */
function beginUpload({ url }: { url: string }, headers: Record<string, string | number> = {}) {
  const outgoing = request(`${url}/control/data`, { method: "POST", headers: { ...boundary, ...headers } });
  onTestFinished(() => void outgoing.destroy());
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on("response", resolve).on("error", reject);
  });
  // Looked at only by tests that are after the answer.
  answered.catch(() => {});
  return { outgoing, answered };
}

const filesIn = (folder: string) =>
  readdir(folder, { recursive: true, withFileTypes: true }).then((entries) =>
    entries.filter((entry) => entry.isFile()).map(({ name }) => name),
  );

describe.each(doors)("an upload through %s", (door) => {
  it("is stored, answered like a complete task's result, and taken as an input (R-UP-01, R-UP-02)", async () => {
    const started = await start([count], { door });
    const { service, call, execute, folder } = started;
    const fields = { workflow_id: "wf", task_id: "meter-1", metadata: '{"unit":"kW"}', checksum };
    const { status, headers, body } = await upload(started, form(fields));
    expect(status).toBe(201);
    const location = headers.get("location") as string;
    expect(location).toMatch(/^\/control\/data\/[\w-]{22}$/);
    const reference = {
      protocol: "http",
      uri: service.selfUrl() + location,
      format: "csv",
      size_bytes: csv.length,
      checksum,
      metadata: { filename: "load.csv", unit: "kW" },
    };
    expect(body).toEqual(reference);
    const data = await call(location);
    expect([data.headers.get("content-type"), data.body]).toEqual(["text/csv", csv]);
    for (const id of [location.split("/").at(-1), "meter-1"]) {
      expect((await call(`/control/status/${id}`)).body).toMatchObject({ status: "complete", progress: 100 });
      expect((await call(`/control/output/${id}`)).body).toEqual({ output: reference });
    }
    expect(await readFile(join(folder, "wf", "meter-1", "upload.csv"), "utf8")).toBe(csv);
    const result = await execute("CountRows", { inputs: [body] });
    expect(result.body).toMatchObject({ status: "complete", output: { uri: btoa("2") } });
    expect(started.lines()).toContainEqual(
      expect.objectContaining({
        msg: "upload kept",
        workflow_id: "wf",
        task_id: "meter-1",
        method: "upload",
        status: "complete",
        duration_ms: expect.any(Number),
      }),
    );
  });

  it("that is refused leaves nothing behind (R-UP-04)", async () => {
    const started = await start([count], { door, uploads: { max_file_bytes: 100 } });
    const { folder, call } = started;
    expect((await upload(started, form({}, "x".repeat(101)))).status).toBe(413);
    expect((await upload(started, form({ checksum: "sha256:00" }))).body.detail).toEqual([
      {
        loc: ["body", "checksum"],
        msg: `Expected a file with the checksum sha256:00, found ${checksum}; send it again`,
        type: "checksum_mismatch",
      },
    ]);
    expect((await upload(started, form({}, csv, "a.xlsx"))).status).toBe(422);
    expect((await upload(started, "{}", { "content-type": "application/json" })).status).toBe(415);
    expect(await readdir(folder)).toEqual([]);
    expect((await call("/control/data")).headers.get("allow")).toBe("POST");
    expect((await upload(started)).status).toBe(201);
  });
});

describe("with a key", () => {
  const api_key = "test-key-of-the-service";
  const authorization = { authorization: `Bearer ${api_key}` };

  it("an upload gives a reference that works without a token (R-SIGN-01)", async () => {
    const started = await start([count], { api_key });
    const { status, headers, body } = await upload(started, form(), authorization);
    expect(status).toBe(201);
    expect(headers.get("location")).not.toContain("signature");
    expect(await (await fetch(body.uri)).text()).toBe(csv);
    expect((await started.execute("CountRows", { inputs: [body] }, authorization)).body).toMatchObject({
      status: "complete",
    });
  });

  it("the token is checked before the body is read (R-AUTH-04)", async () => {
    const started = await start([count], { api_key });
    const { outgoing, answered } = beginUpload(started, { "content-length": 2 ** 40 });
    let sent = 0;
    const piece = Buffer.alloc(64 * 1024);
    const endless = new Readable({
      read() {
        sent += piece.length;
        this.push(piece);
      },
    });
    outgoing.write(begin);
    endless.pipe(outgoing);
    expect((await answered).statusCode).toBe(401);
    endless.destroy();
    outgoing.destroy();
    // What fits into the buffers on the way, and no more than a moment's worth.
    expect(sent).toBeLessThan(100 * 2 ** 20);
    expect(await readdir(started.folder)).toEqual([]);
  });
});

describe("a service", () => {
  it("that takes no uploads has neither the route nor the extension", async () => {
    const { call } = await start([count], { uploads: false });
    expect((await call("/control/data", { method: "POST", body: form() })).status).toBe(404);
    expect(JSON.stringify((await call("/control/operations")).body)).not.toContain("upload");
    expect((await call("/openapi.json")).body).not.toHaveProperty(["paths", "/control/data"]);
    expect((await call("/docs")).body).not.toContain("-F file");
  });

  it("that takes them says so", async () => {
    const { call } = await start([count]);
    const { extensions } = (await call("/control/operations")).body as { extensions: string[] };
    expect(extensions).toContain("upload");
    expect((await call("/openapi.json")).body).toHaveProperty(["paths", "/control/data", "post"]);
    const page = String((await call("/docs")).body);
    expect(page).toContain("/control/data -F file=@load.csv");
    expect(page).toContain("<code>checksum</code>");
  });

  it("is not created with limits that cannot be meant", () => {
    const operations = [count];
    expect(() => sequentialService({ operations, uploads: { max_file_bytes: -1 } })).toThrow(TypeError);
    expect(() => sequentialService({ operations, uploads: { formats: ["xls" as "csv"] } })).toThrow(
      'Expected uploads.formats to be a list out of json, csv, parquet, protobuf, binary, xml, got ["xls"]',
    );
  });

  it("cuts an upload that stands still", async () => {
    const started = await start([count], { transfer_idle_timeout_ms: 50 });
    const { outgoing, answered } = beginUpload(started);
    outgoing.write(begin);
    const answer = await answered;
    expect(answer.statusCode).toBe(408);
    expect(await text(answer)).toContain("found no byte for 0.05 s");
    await until("the folder to be gone", async () => (await readdir(started.folder)).length === 0);
  });

  it("takes none while it stops, but keeps what comes whole within the grace", async () => {
    const started = await start([count], { door: "router" });
    const { outgoing, answered } = beginUpload(started);
    outgoing.write(`${begin}some`);
    await until("the folder", async () => (await readdir(started.folder)).length === 1);
    const closed = started.service.close(10_000);
    expect((await upload(started)).status).toBe(503);
    outgoing.end(end);
    expect((await answered).statusCode).toBe(201);
    await closed;
    expect(await filesIn(started.folder)).toEqual(["upload.csv"]);
  });

  it("refuses what is not whole when the grace is over", async () => {
    const started = await start([count], { door: "router" });
    const { outgoing, answered } = beginUpload(started);
    outgoing.write(`${begin}some`);
    await until("the folder", async () => (await readdir(started.folder)).length === 1);
    await started.service.close(20);
    expect((await answered).statusCode).toBe(503);
    expect(await readdir(started.folder)).toEqual([]);
  });

  it("drops an upload with its files when its time has come", async () => {
    let clock = 1_000_000;
    const started = await start([count], { now: () => clock, retention: { max_age_s: 3600 } });
    const { headers } = await upload(started);
    clock += 3_601_000;
    await started.service.parts.engine.prune();
    expect((await started.call(headers.get("location") as string)).status).toBe(404);
    expect(await readdir(started.folder)).toEqual([]);
  });

  it("keeps nothing that its store does not begin", async () => {
    const refusal = new ControlError("store_unavailable", "The store is away");
    const store = { ...createMemoryStore(), begin: () => Promise.reject(refusal) };
    const started = await start([count], { store });
    expect((await upload(started)).status).toBe(503);
    expect(await readdir(started.folder)).toEqual([]);
  });
});

describe("an upload with an Idempotency-Key", () => {
  it("gives the first one's reference again, or 422 for another file (R-IDEM-01, R-IDEM-02)", async () => {
    const started = await start([count]);
    const key = { "idempotency-key": "k-1" };
    const first = await upload(started, form(), key);
    const again = await upload(started, form(), key);
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(again.headers.get("location")).toBe(first.headers.get("location"));
    expect((await upload(started, form({}, "other"), key)).status).toBe(422);
    expect(await filesIn(started.folder)).toEqual(["upload.csv"]);
    // Keys are scoped to workflow and task (R-IDEM-06).
    const elsewhere = await upload(started, form({ task_id: "t" }), key);
    expect(elsewhere.body.uri).not.toBe(first.body.uri);
    expect((await upload(started, form(), { "idempotency-key": "x".repeat(1025) })).body.detail).toEqual([
      expect.objectContaining({ loc: ["header", "idempotency-key"] }),
    ]);
  });

  it("is kept once, also when it comes twice at the same time", async () => {
    const started = await start([count]);
    const key = { "idempotency-key": "k-1" };
    const answers = await Promise.all([1, 2, 3].map(() => upload(started, form(), key)));
    expect(new Set(answers.map(({ body }) => body.uri)).size).toBe(1);
    expect(await filesIn(started.folder)).toEqual(["upload.csv"]);
  });

  it("is needed for that: without one the same file is another upload, also at the same time", async () => {
    const hold = gate();
    const memory = createMemoryStore();
    const update: typeof memory.update = (...change) => hold.opened.then(() => memory.update(...change));
    const began: string[] = [];
    const begin: typeof memory.begin = (candidate, ...rest) => {
      began.push(candidate.handle);
      return memory.begin(candidate, ...rest);
    };
    const started = await start([count], { store: { ...memory, update, begin } });
    const answers = [1, 2].map(() => upload(started, form({ task_id: "t" })));
    await until("both to begin", () => began.length === 2);
    hold.open();
    const uris = (await Promise.all(answers)).map(({ body }) => body.uri);
    expect(new Set(uris).size).toBe(2);
  });
});

/** Starts the upload service by a line of bash. */
async function startChild(line: string, data_dir: string): Promise<{ url: string }> {
  const program = fileURLToPath(new URL("../dist/testing/upload-service.js", import.meta.url));
  const child = spawn("bash", ["-c", line, "bash", process.execPath, program], {
    env: { ...process.env, DATA_DIR: data_dir },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let log = "";
  child.stdout.on("data", (piece) => {
    log += piece;
  });
  const url = await until("the service", () => /"url":"([^"]+)"/.exec(log)?.[1]);
  return { url };
}

async function executeAt(url: string, method: string) {
  const body = JSON.stringify({ method, workflow_id: "wf", task_id: method });
  const response = await fetch(`${url}/control/execute`, { method: "POST", body });
  return (await response.json()) as { status: string; error: string; output: { uri: string } };
}

const hasBash = process.platform !== "win32";

describe("memory", () => {
  it.skipIf(!hasBash)("does not grow with the file", async () => {
    const { url } = await startChild(`exec "$@"`, await tempFolder());
    const peak = async () => {
      const { output } = await executeAt(url, "PeakMemory");
      return JSON.parse(Buffer.from(output.uri, "base64").toString()).peak_mb as number;
    };
    const before = await peak();
    const { outgoing, answered } = beginUpload({ url });
    outgoing.write(begin);
    const piece = Buffer.alloc(64 * 1024, "x");
    Readable.from(
      (function* () {
        for (let index = 0; index < (200 * 2 ** 20) / piece.length; index++) yield piece;
        yield Buffer.from(end);
      })(),
    ).pipe(outgoing);
    const answer = await answered;
    expect(answer.statusCode).toBe(201);
    expect(JSON.parse(await text(answer))).toMatchObject({ size_bytes: 200 * 2 ** 20 });
    // The file has 200 MB; what is measured is some 30.
    expect((await peak()) - before).toBeLessThan(120);
  });
});

describe("a disk without room", () => {
  async function expectClearFailures(url: string, data_dir: string, code: string): Promise<void> {
    const { status, error } = await executeAt(url, "Fill");
    expect(status).toBe("failed");
    expect(error).toMatch(
      new RegExp(`^Could not write ${data_dir}/wf/Fill/output.binary: .* \\(${code}\\); free some space`),
    );
    const refused = await fetch(`${url}/control/data`, { method: "POST", body: form({}, "x".repeat(5e6)) });
    expect(refused.status).toBe(507);
    const taken = await fetch(`${url}/control/data`, { method: "POST", body: form() });
    expect(taken.status).toBe(201);
    const { uri } = (await taken.json()) as DataReference;
    expect(await (await fetch(uri)).text()).toBe(csv);
  }

  it.skipIf(!hasBash)("for large files is told as what it is, and the service goes on", async () => {
    const data_dir = await tempFolder();
    const { url } = await startChild(`ulimit -f 1000; exec "$@"`, data_dir);
    await expectClearFailures(url, data_dir, "EFBIG");
    expect(await filesIn(data_dir)).toEqual(["upload.csv"]);
  });

  const noDisk = process.platform !== "linux" || needs("unshare -rm with a tmpfs", hasSmallDisks());
  it.skipIf(noDisk)("at all is told as what it is, and the service goes on", async () => {
    const data_dir = await tempFolder();
    const { url } = await startChild(onSmallDisk(data_dir, "size=2m"), data_dir);
    await expectClearFailures(url, data_dir, "ENOSPC");
  });
});

describe("the bytes of a task's files", () => {
  it("are counted at its end, however it ends", async () => {
    const hold = gate();
    const write = async (ctx: { folder(): Promise<string> }) => {
      const folder = await ctx.folder();
      await mkdir(join(folder, "deep"));
      const { writeFile } = await import("node:fs/promises");
      await writeFile(join(folder, "deep", "scratch"), "x".repeat(1000));
    };
    const operations = [
      defineOperation({ name: "Nothing", sink: true, run: () => undefined }),
      defineOperation({
        name: "Writes",
        async run(ctx) {
          await write(ctx);
          return ctx.publish("12345", { format: "json" });
        },
      }),
      defineOperation({
        name: "Breaks",
        async run(ctx) {
          await write(ctx);
          throw new Error("broken");
        },
      }),
      defineOperation({
        name: "Waits",
        style: "concurrent",
        async run(ctx) {
          await write(ctx);
          ctx.progress(50);
          await hold.opened;
          return undefined;
        },
      }),
    ];
    const { execute, call, service } = await start(operations);
    const bytesOf = async (id: string) => (await service.parts.store.find(id))?.folder_bytes;
    for (const method of ["Nothing", "Writes", "Breaks", "Waits"]) await execute(method, { task_id: method });
    expect(await bytesOf("Nothing")).toBe(0);
    expect(await bytesOf("Writes")).toBe(1005);
    expect(await bytesOf("Breaks")).toBe(1000);
    await expect.poll(async () => (await call("/control/status/Waits")).body).toMatchObject({ progress: 50 });
    await call("/control/cancel/Waits", { method: "POST" });
    expect(await bytesOf("Waits")).toBe(1000);
    hold.open();
  });

  it("make old tasks be looked for soon, where they have a limit", async () => {
    const limited = { retention: { max_payload_bytes: 1000 } };
    for (const [options, least] of [
      [limited, 1],
      [{}, 0],
    ] as const) {
      let looked = 0;
      const memory = createMemoryStore(options.retention);
      const prune: typeof memory.prune = (now) => {
        looked++;
        return memory.prune(now);
      };
      const started = await start([count], { ...options, store: { ...memory, prune } });
      await upload(started);
      if (least > 0) await until("a look", () => looked >= least);
      expect(looked).toBe(least);
    }
  });
});

describe("folders that an earlier life has left", () => {
  const leave = async () => {
    const data_dir = await tempFolder();
    for (const task of ["a", "b"]) await mkdir(join(data_dir, "wf", task), { recursive: true });
    return data_dir;
  };

  it("are told of at the start, with what to do, and left alone", async () => {
    const data_dir = await leave();
    const { lines } = await start([count], { data_dir });
    const told = await until("the warning", () =>
      lines().find(({ msg }) => String(msg).startsWith("expected no task folders in DATA_DIR")),
    );
    expect(told).toMatchObject({ level: 40, data_dir, task_folders: 2 });
    expect((await readdir(join(data_dir, "wf"))).sort()).toEqual(["a", "b"]);
  });

  it("are nothing to tell of where there are none, or the store knows them", async () => {
    for (const options of [{}, { data_dir: await leave(), store: createMemoryStore() }]) {
      const { lines, service } = await start([count], options);
      await service.close();
      expect(lines().filter(({ level }) => Number(level) >= 40)).toEqual([]);
    }
  });
});
