import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { Agent, createServer, type IncomingMessage, request } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { ControlError } from "@aieffect/control-interface";
import { hasSmallDisks, needs, onSmallDisk, tempFolder, until } from "@aieffect/test-support";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  createFilePlane,
  createUploadReceiver,
  type ReceiveCall,
  type ReceivedUpload,
  type ReceiverOptions,
} from "../index.ts";

const csv = "time,kW\n00:00,1.5\n";
const sha256 = createHash("sha256").update(csv).digest("hex");

interface Receiver {
  url: string;
  port: number;
  data_dir: string;
  /** What became of each upload. */
  outcomes: (ReceivedUpload | ControlError)[];
}

/** A server that receives uploads and answers with what became of them. */
async function serve(options: ReceiverOptions = {}, call: Partial<ReceiveCall> = {}): Promise<Receiver> {
  const data_dir = join(await tempFolder(), "data");
  const receive = createUploadReceiver(createFilePlane({ data_dir }), options);
  const outcomes: Receiver["outcomes"] = [];
  const server = createServer((incoming, response) => {
    receive(incoming, { workflow_id: "uploads", task_id: "handle", ...call })
      .catch((error: ControlError) => error)
      .then((outcome) => {
        outcomes.push(outcome);
        const isRefused = outcome instanceof Error;
        response.writeHead(isRefused ? (outcome.status ?? 599) : 201, { "content-type": "application/json" });
        response.end(JSON.stringify(isRefused ? { detail: outcome.detail } : outcome));
      });
  }).listen(0, "127.0.0.1");
  await until("the server", () => server.listening);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, port, data_dir, outcomes };
}

/** A form; what is an array is a file: content, name, and type. */
function form(fields: [string, string | [string, string, string?]][]): FormData {
  const built = new FormData();
  for (const [name, value] of fields) {
    if (typeof value === "string") built.append(name, value);
    else built.append(name, new File([value[0]], value[1], { type: value[2] ?? "" }));
  }
  return built;
}

async function send({ url }: Receiver, body: FormData) {
  const response = await fetch(url, { method: "POST", body });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Nothing is left: no file, no folder, no open file. */
async function expectNothingLeft(data_dir: string): Promise<void> {
  expect(await readdir(data_dir).catch(() => [])).toEqual([]);
  const descriptors = await readdir("/proc/self/fd").catch(() => []);
  const open = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
  expect(open.filter((file) => file.startsWith(data_dir))).toEqual([]);
}

const head = (type: string, length?: number) =>
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\n${length === undefined ? "Transfer-Encoding: chunked" : `Content-Length: ${length}`}\r\n\r\n`;
const chunk = (bytes: string) => `${Buffer.byteLength(bytes).toString(16)}\r\n${bytes}\r\n`;
const multipart = "multipart/form-data; boundary=b";
const begin = `--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n`;

async function dial({ port }: Receiver): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await until("the connection", () => !socket.connecting);
  return socket;
}

describe("an upload", () => {
  it("is stored in the folder of its workflow and task, and measured", async () => {
    const receiver = await serve();
    const fields: Parameters<typeof form>[0] = [
      ["workflow_id", "wf"],
      ["task_id", "load"],
      ["metadata", '{"unit":"kW"}'],
      ["checksum", `sha256:${sha256}`],
      ["file", [csv, "Größe.CSV", "application/octet-stream"]],
    ];
    const folder = join(receiver.data_dir, "wf", "load");
    expect((await send(receiver, form(fields))).body).toEqual({
      workflow_id: "wf",
      task_id: "load",
      folder,
      stored: {
        path: join(folder, "upload.csv"),
        size_bytes: csv.length,
        checksum: `sha256:${sha256}`,
        format: "csv",
      },
      metadata: { filename: "Größe.CSV", unit: "kW" },
    });
    expect(await readFile(join(folder, "upload.csv"), "utf8")).toBe(csv);
    // Fields behind the file count as well; the second upload gets a folder of its own.
    const second = await send(receiver, form([...fields].reverse()));
    expect(second.body).toMatchObject({ folder: `${folder}~2`, metadata: { unit: "kW" } });
    expect(await readdir(receiver.data_dir)).toEqual(["wf"]);
    expect(await readdir(`${folder}~2`)).toEqual(["upload.csv"]);
  });

  it("needs nothing but the file", async () => {
    const receiver = await serve();
    const { status, body } = await send(receiver, form([["file", ["", "empty.csv"]]]));
    expect(status).toBe(201);
    expect(body).toMatchObject({
      workflow_id: "uploads",
      task_id: "handle",
      folder: join(receiver.data_dir, "uploads", "handle"),
      stored: { size_bytes: 0, format: "csv" },
      metadata: { filename: "empty.csv" },
    });
  });

  it.each([
    ["md5", "hex"],
    ["SHA-512", "base64"],
    ["sha-256", "base64"],
  ] as const)("is compared with a checksum by %s in %s, on whichever side of the file", async (name, how) => {
    const receiver = await serve();
    const digest = createHash(name.replace("-", "").toLowerCase()).update(csv).digest(how);
    const file = ["file", [csv, "a.csv"]] as [string, [string, string]];
    for (const value of [digest, `${digest.slice(0, -4)}0000`]) {
      const checksum = ["checksum", `${name}:${value}`] as [string, string];
      const expected = value === digest ? 201 : 422;
      expect((await send(receiver, form([checksum, file]))).status).toBe(expected);
      expect((await send(receiver, form([file, checksum]))).status).toBe(expected);
    }
    expect(await readdir(join(receiver.data_dir, "uploads"))).toEqual(["handle", "handle~2"]);
  });

  it("keeps its bytes, whatever they are and however they come", async () => {
    const receiver = await serve();
    const boundary = fc.string({
      unit: fc.constantFrom(..."abcXYZ019'()+_-.?"),
      minLength: 1,
      maxLength: 70,
    });
    // Much that looks like a boundary.
    const bytes = fc
      .array(fc.oneof(fc.constantFrom("\r\n", "--", "-", "\r", "\n--", "\r\n--b"), fc.string()))
      .map((parts) => Buffer.from(parts.join("")));
    await fc.assert(
      fc.asyncProperty(boundary, bytes, fc.integer({ min: 1, max: 50 }), async (mark, content, step) => {
        fc.pre(!content.includes(`--${mark}`));
        const disposition = `Content-Disposition: form-data; name="file"; filename="a.bin"`;
        const whole = Buffer.concat([
          Buffer.from(`--${mark}\r\n${disposition}\r\n\r\n`),
          content,
          Buffer.from(`\r\n--${mark}--\r\n`),
        ]);
        const outgoing = request(receiver.url, {
          method: "POST",
          headers: { "content-type": `multipart/form-data; boundary="${mark}"` },
        });
        const pieces: Buffer[] = [];
        for (let at = 0; at < whole.length; at += step) pieces.push(whole.subarray(at, at + step));
        Readable.from(pieces).pipe(outgoing);
        const answer = await new Promise<IncomingMessage>((resolve) => outgoing.on("response", resolve));
        const { stored } = JSON.parse(await text(answer)) as ReceivedUpload;
        expect(await readFile(stored.path)).toEqual(content);
      }),
      { numRuns: 40 },
    );
  });
});

describe("a refused upload leaves nothing behind", () => {
  it.each<[string, Parameters<typeof form>[0], string]>([
    [
      "no file",
      [["format", "csv"]],
      "file: Field required: a file with a file name, as in -F file=@load.csv",
    ],
    ["a text as file", [["file", csv]], "file: Expected a file with a file name, found a text"],
    [
      "another field's file",
      [["data", [csv, "a.csv"]]],
      "data: Expected exactly one file, in the field `file`",
    ],
    [
      "two files",
      [
        ["file", [csv, "a.csv"]],
        ["file", [csv, "b.csv"]],
      ],
      "Expected exactly one file, in the field `file`; found another one",
    ],
    [
      "an unknown field behind the file",
      [
        ["file", [csv, "a.csv"]],
        ["colour", "red"],
      ],
      "colour: Expected no other fields than file, format",
    ],
    [
      "a field twice",
      [
        ["format", "csv"],
        ["format", "csv"],
        ["file", [csv, "a.csv"]],
      ],
      "format: Expected this field once",
    ],
    [
      "a nested field",
      [
        ["metadata[a]", "1"],
        ["file", [csv, "a.csv"]],
      ],
      "metadata: Expected this field once",
    ],
    [
      "no format",
      [["file", [csv, "a.unknown"]]],
      'format: Expected the format in this field, found only the file "a.unknown" of type application/octet-stream, which tell none (R-UP-03)',
    ],
    ["a format that is not taken", [["file", ["<a/>", "a.xml"]]], "format: Expected csv or json, found xml"],
    [
      "another checksum",
      [
        ["file", [csv, "a.csv"]],
        ["checksum", "sha256:00"],
      ],
      `checksum: Expected a file with the checksum sha256:00, found sha256:${sha256}; send it again`,
    ],
    [
      "a field that is too long",
      [
        ["metadata", `{"a":"${"x".repeat(70_000)}"}`],
        ["file", [csv, "a.csv"]],
      ],
      "metadata: Expected at most 65536 bytes in a field, found more",
    ],
    [
      "too many fields",
      Array.from({ length: 20 }, (_, index) => [`f${index}`, ""]),
      "body: Expected one file and no other fields than format",
    ],
    ["a field's name that is too long", [["x".repeat(200), ""]], "found: Field name too long"],
  ])("for %s", async (_name, fields, said) => {
    const receiver = await serve({ formats: ["csv", "json"] });
    const { status, body } = await send(receiver, form(fields));
    expect(status).toBe(422);
    expect((receiver.outcomes[0] as ControlError).message).toContain(said);
    const issue = {
      loc: expect.arrayContaining(["body"]),
      msg: expect.any(String),
      type: expect.any(String),
    };
    expect(body.detail).toEqual(expect.arrayContaining([issue]));
    await expectNothingLeft(receiver.data_dir);
  });

  it.each([
    ["text/csv", 'found "text/csv"'],
    ["application/x-www-form-urlencoded", "found"],
    ["multipart/mixed; boundary=b", "found"],
    ["multipart/form-data", 'found "multipart/form-data"'],
  ])("for the media type %s", async (type, found) => {
    const receiver = await serve();
    const response = await fetch(receiver.url, {
      method: "POST",
      headers: { "content-type": type },
      body: csv,
    });
    expect(response.status).toBe(415);
    expect((receiver.outcomes[0] as ControlError).message).toContain(found);
    await expectNothingLeft(receiver.data_dir);
  });

  it("for any bytes that are no form", async () => {
    const receiver = await serve();
    const format = `--b\r\nContent-Disposition: form-data; name="format"\r\n\r\ncsv\r\n`;
    const unnamed = "--b\r\nContent-Type: application/octet-stream\r\n\r\n";
    const piece = fc.constantFrom(
      "--b",
      "\r\n",
      "--",
      begin,
      "\r\n--b--\r\n",
      "--b--",
      format,
      unnamed,
      `--b\r\nContent-Disposition: form-data\r\n\r\n`,
      `--b\r\n: x\r\n`,
    );
    const bodies = fc.array(fc.oneof(piece, fc.string({ unit: "binary" })), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(bodies, async (pieces) => {
        const headers = { "content-type": multipart };
        const response = await fetch(receiver.url, { method: "POST", headers, body: pieces.join("") });
        const outcome = receiver.outcomes.at(-1);
        expect({ status: response.status, outcome }).toMatchObject({
          status: outcome instanceof Error ? 422 : 201,
        });
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(ControlError);
        else await createFilePlane(receiver).removeTaskFolder((outcome as ReceivedUpload).folder);
      }),
      {
        numRuns: 50,
        // A part behind the closing boundary.
        examples: [[["--b", unnamed, format, begin, begin]]],
      },
    );
    await expectNothingLeft(receiver.data_dir);
  });

  it("for a file above the limit, as soon as that is known", async () => {
    const receiver = await serve({ max_file_bytes: 1000 });
    expect((await send(receiver, form([["file", ["x".repeat(1000), "a.csv"]]]))).status).toBe(201);
    await createFilePlane(receiver).removeTaskFolder((receiver.outcomes[0] as ReceivedUpload).folder);
    expect((await send(receiver, form([["file", ["x".repeat(1001), "a.csv"]]]))).status).toBe(413);
    // An end of the body never comes.
    const socket = await dial(receiver);
    socket.write(head(multipart) + chunk(begin + "x".repeat(1001)));
    await until("the refusal", () => receiver.outcomes.length === 3);
    const announcing = await dial(receiver);
    announcing.write(head(multipart, 1e15));
    await until("the refusal", () => receiver.outcomes.length === 4);
    expect(receiver.outcomes.slice(1).map((outcome) => (outcome as ControlError).message)).toEqual([
      expect.stringContaining("Expected an upload of at most 1000 bytes, found a larger file"),
      expect.stringContaining("found a larger file"),
      expect.stringContaining("found 1000000000000000 announced; raise the option `uploads.max_file_bytes`"),
    ]);
    await expectNothingLeft(receiver.data_dir);
  });

  it("for a body that goes on for ever outside of its file", async () => {
    const receiver = await serve({ max_file_bytes: 1000 });
    const disposition = `Content-Disposition: form-data; name="file"`;
    const unnamed = `--b\r\nContent-Type: application/octet-stream\r\n${disposition}\r\n\r\n`;
    for (const start of ["preamble", unnamed, `${begin}\r\n--b--\r\n`]) {
      const socket = await dial(receiver);
      socket.write(head(multipart) + chunk(start));
      const before = receiver.outcomes.length;
      const filling = setInterval(() => socket.write(chunk("x".repeat(100_000))), 1);
      await until("the refusal", () => receiver.outcomes.length > before);
      clearInterval(filling);
      expect(receiver.outcomes.at(-1)).toMatchObject({ code: "body_too_large" });
    }
    await expectNothingLeft(receiver.data_dir);
  });

  it("when what came before the file is wrong, before the file is read", async () => {
    const receiver = await serve();
    const socket = await dial(receiver);
    const field = `--b\r\nContent-Disposition: form-data; name="format"\r\n\r\nexcel\r\n`;
    socket.write(head(multipart) + chunk(`${field}${begin}some of it`));
    await until("the refusal", () => receiver.outcomes.length === 1);
    expect(receiver.outcomes[0]).toMatchObject({ code: "invalid_request" });
    await expectNothingLeft(receiver.data_dir);
  });

  it("and leaves the connection to the next one", async () => {
    const receiver = await serve();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const post = (body: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const headers = { "content-type": multipart };
        const outgoing = request(receiver.url, { method: "POST", agent, headers }, (answer) => {
          answer.resume().on("end", () => resolve(answer.statusCode));
        });
        outgoing.on("error", reject).end(body);
      });
    const field = `--b\r\nContent-Disposition: form-data; name="format"\r\n\r\nexcel\r\n`;
    const file = `${begin}${"x".repeat(5_000_000)}\r\n--b--\r\n`;
    expect([await post(field + file), await post(file)]).toEqual([422, 201]);
  });

  it("when the sender goes away", async () => {
    const receiver = await serve();
    const socket = await dial(receiver);
    socket.write(head(multipart) + chunk(begin + "x".repeat(300_000)));
    const folder = join(receiver.data_dir, "uploads", "handle");
    await until("some of it", async () => (await readdir(folder).catch(() => [])).length === 1);
    expect(await readdir(folder)).toEqual([expect.stringMatching(/^\..*\.part$/)]);
    socket.destroy();
    await until("the refusal", () => receiver.outcomes.length === 1);
    expect(receiver.outcomes[0]).toMatchObject({ code: "aborted" });
    await expectNothingLeft(receiver.data_dir);
  });

  it("when the sender stands still", async () => {
    const receiver = await serve({ idle_timeout_ms: 50 });
    const socket = await dial(receiver);
    socket.write(head(multipart) + chunk(`${begin}some`));
    await until("the refusal", () => receiver.outcomes.length === 1);
    expect(receiver.outcomes[0]).toMatchObject({
      code: "request_timeout",
      message: expect.stringMatching(
        /^Expected the upload to go on, found no byte for 0.05 s after \d+ bytes; send it again$/,
      ),
    });
    await expectNothingLeft(receiver.data_dir);
  });

  it("when it is called off", async () => {
    const controller = new AbortController();
    const receiver = await serve({}, { signal: controller.signal });
    const socket = await dial(receiver);
    socket.write(head(multipart) + chunk(`${begin}some`));
    await until("the folder", async () => (await readdir(receiver.data_dir).catch(() => [])).length === 1);
    controller.abort(new ControlError("stopping", "The service stops"));
    await until("the refusal", () => receiver.outcomes.length === 1);
    expect(receiver.outcomes[0]).toMatchObject({ code: "stopping" });
    await expectNothingLeft(receiver.data_dir);
    // A later one is called off before it begins.
    expect((await send(receiver, form([["file", [csv, "a.csv"]]]))).status).toBe(503);
    await expectNothingLeft(receiver.data_dir);
  });

  it("when the disk cannot be written to", async () => {
    const receiver = await serve();
    await writeFile(receiver.data_dir, "a file, not a folder");
    const { status } = await send(receiver, form([["file", [csv, "a.csv"]]]));
    expect(status).toBe(500);
    expect((receiver.outcomes[0] as ControlError).message).toMatch(/check that data_dir can be written to$/);
  });

  const noBash = process.platform === "win32";
  it.skipIf(noBash)("when the file becomes larger than is allowed", async () => {
    const data_dir = await tempFolder();
    const { status, body } = await receiveInChild(`ulimit -f 1000; exec "$@"`, data_dir, 5e6);
    expect(status).toBe(507);
    expect(body).toMatch(
      /^Could not write the upload in .*: a file of this process may not be that large \(EFBIG\); free some space,/,
    );
    expect(await readdir(data_dir)).toEqual([]);
  });

  const noDisk = process.platform !== "linux" || needs("unshare -rm with a tmpfs", hasSmallDisks());
  it.skipIf(noDisk)("when the disk is full", async () => {
    const data_dir = await tempFolder();
    const line = onSmallDisk(data_dir, "size=2m");
    const { status, body, left } = await receiveInChild(line, data_dir, 5e6);
    expect({ status, body }).toEqual({
      status: 507,
      body: expect.stringMatching(
        /^Could not write the upload in .*: the disk is full \(ENOSPC\); free some/,
      ),
    });
    expect(left).toEqual([]);
  });
});

/** Uploads so many bytes to a receiver in a process of its own, started by a line of bash. */
async function receiveInChild(line: string, data_dir: string, bytes: number) {
  const program = `
    import { readdirSync } from "node:fs";
    import { createServer } from "node:http";
    import { createFilePlane, createUploadReceiver } from "@aieffect/data-plane-file";
    const data_dir = process.env.DATA_DIR;
    const receive = createUploadReceiver(createFilePlane({ data_dir }));
    createServer((request, response) => {
      receive(request, { workflow_id: "uploads", task_id: "handle" }).then(
        () => response.end("stored"),
        (error) => {
          response.statusCode = error.status;
          response.end(JSON.stringify({ detail: error.detail, left: readdirSync(data_dir) }));
        },
      );
    }).listen(0, "127.0.0.1", function () { console.log(this.address().port); });`;
  const child = spawn("bash", ["-c", line, "bash", process.execPath, "--input-type=module", "-e", program], {
    cwd: new URL("../..", import.meta.url),
    env: { ...process.env, DATA_DIR: data_dir },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill());
  let port = "";
  child.stdout.on("data", (piece) => {
    port += piece;
  });
  await until("the receiver", () => port.endsWith("\n"));
  const response = await fetch(`http://127.0.0.1:${port.trim()}/`, {
    method: "POST",
    body: form([["file", ["x".repeat(bytes), "a.csv"]]]),
  });
  const { detail, left } = (await response.json()) as { detail: string; left: string[] };
  return { status: response.status, body: detail, left };
}

describe("options", () => {
  it.each([
    [{ max_file_bytes: 0 }, "Expected uploads.max_file_bytes to be an integer of at least 1, got 0"],
    [{ formats: [] }, "Expected uploads.formats to be a list out of json, csv"],
    [{ formats: ["excel"] }, 'got ["excel"]'],
    [{ max_bytes: 1 }, "Expected uploads to have only max_file_bytes, formats; got max_bytes"],
    [{ idle_timeout_ms: 0 }, "Expected idle_timeout_ms to be above 0, got 0"],
  ])("like %j cannot be meant", (options, said) => {
    const plane = createFilePlane({ data_dir: "unused" });
    expect(() => createUploadReceiver(plane, options as ReceiverOptions)).toThrow(said);
  });
});
