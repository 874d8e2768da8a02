import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { hasSmallDisks, needs, onSmallDisk, tempFolder, until } from "@aieffect/test-support";
import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type Content, createFilePlane } from "../index.ts";

const text = "a,b\n1,é\n2,😀\n";
const { store } = createFilePlane({ data_dir: "unused" });

/** Nothing is left: no file, no temporary file, no descriptor. */
async function expectNothingLeft(folder: string): Promise<void> {
  expect(await readdir(folder)).toEqual([]);
  const descriptors = await readdir("/proc/self/fd").catch(() => []);
  const files = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
  expect(files.filter((file) => file.startsWith(folder))).toEqual([]);
}

describe("content", () => {
  async function* lines() {
    yield "a,b\n";
    yield Buffer.from("1,é\n");
    yield "2,\ud83d";
    yield "\ude00\n";
  }
  const contents: Record<string, () => Content> = {
    "a text": () => text,
    bytes: () => new TextEncoder().encode(text),
    "a stream of bytes": () => Readable.from([Buffer.from(text)]),
    "a stream of text": () => Readable.from([...text].map((character) => character)),
    "a generator that waits": () => lines(),
    "an iterable with half characters": () => text.split(""),
  };

  it.each(Object.keys(contents))("of %s is stored and measured", async (name) => {
    const folder = await tempFolder();
    const stored = await store((contents[name] as () => Content)(), { folder, name: "a.csv", format: "csv" });
    expect(await readFile(stored.path, "utf8")).toBe(text);
    expect(stored).toEqual({
      path: join(folder, "a.csv"),
      size_bytes: Buffer.byteLength(text),
      checksum: `sha256:${createHash("sha256").update(text).digest("hex")}`,
      format: "csv",
      csv_rows: true,
    });
    expect(await readdir(folder)).toEqual(["a.csv"]);
  });

  it("of a stream of a file is that file's content, wherever it lies", async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, "task"));
    await writeFile(join(folder, "elsewhere"), text);
    const stored = await store(createReadStream(join(folder, "elsewhere")), {
      folder: join(folder, "task"),
      format: "csv",
    });
    expect(stored.path).toBe(join(folder, "task", "output.csv"));
    expect(await readFile(stored.path, "utf8")).toBe(text);
  });

  it("of a file that lies in the folder is measured where it lies", async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, "mine.csv"), "a,b\n");
    for (const path of ["mine.csv", join(folder, "mine.csv")]) {
      expect(await store({ path }, { folder, format: "csv" })).toMatchObject({
        path: join(folder, "mine.csv"),
        size_bytes: 4,
        csv_rows: false,
      });
    }
    expect(await readdir(folder)).toEqual(["mine.csv"]);
  });

  it("of any pieces is what they make together, even if their bytes are used again", async () => {
    const folder = await tempFolder();
    const sizes = fc.array(fc.nat({ max: 300_000 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(sizes, async (lengths) => {
        const shared = Buffer.alloc(300_000);
        const expected = createHash("sha256");
        function* pieces() {
          for (const [index, length] of lengths.entries()) {
            const piece = shared.subarray(0, length).fill(index + 1);
            expected.update(piece);
            yield piece;
          }
        }
        const stored = await store(pieces(), { folder, format: "binary" });
        const checksum = `sha256:${expected.digest("hex")}`;
        expect(stored.checksum).toBe(checksum);
        expect(
          `sha256:${createHash("sha256")
            .update(await readFile(stored.path))
            .digest("hex")}`,
        ).toBe(checksum);
      }),
      { numRuns: 30 },
    );
  });

  it("replaces a file of the same name", async () => {
    const folder = await tempFolder();
    for (const version of ["one", "two"]) await store(version, { folder, name: "x", format: "binary" });
    expect(await readFile(join(folder, "x"), "utf8")).toBe("two");
  });

  it("is text or bytes", async () => {
    const folder = await tempFolder();
    for (const content of [[1], Readable.from([{}]), 7, null, {}]) {
      await expect(store(content as unknown as Content, { folder, format: "json" })).rejects.toThrow(
        TypeError,
      );
    }
    await expectNothingLeft(folder);
  });
});

describe("a failure leaves nothing", () => {
  it("when a generator throws in the middle", async () => {
    const folder = await tempFolder();
    function* broken() {
      yield Buffer.alloc(500_000);
      throw new Error("sensor lost");
    }
    await expect(store(broken(), { folder, format: "binary" })).rejects.toThrow("sensor lost");
    await expectNothingLeft(folder);
  });

  it("when a stream fails in the middle, or before it began", async () => {
    const folder = await tempFolder();
    const stream = new PassThrough();
    stream.write(Buffer.alloc(500_000));
    const storing = store(stream, { folder, format: "binary" });
    await until("the temporary file", async () => (await readdir(folder)).length === 1);
    stream.destroy(new Error("connection lost"));
    await expect(storing).rejects.toThrow("connection lost");
    await expect(store(createReadStream(join(folder, "none")), { folder, format: "binary" })).rejects.toThrow(
      "ENOENT",
    );
    const early = new PassThrough();
    const never = store(early, { folder, format: "binary" });
    early.destroy(new Error("never connected"));
    await expect(never).rejects.toThrow("never connected");
    const cut = new PassThrough();
    cut.destroy();
    await expect(store(cut, { folder, format: "binary" })).rejects.toThrow("Premature close");
    await expectNothingLeft(folder);
  });

  it("when the caller gives up, even on a source that hangs", async () => {
    const folder = await tempFolder();
    const stream = new PassThrough();
    async function* hanging() {
      yield Buffer.alloc(500_000);
      await new Promise(() => {});
    }
    for (const content of [stream, hanging()]) {
      const controller = new AbortController();
      const storing = store(content, { folder, format: "binary", signal: controller.signal });
      await until("the temporary file", async () => (await readdir(folder)).length === 1);
      controller.abort();
      await expect(storing).rejects.toMatchObject({ code: "aborted" });
      await expectNothingLeft(folder);
    }
    expect(stream.destroyed).toBe(true);
    const never = store("x", { folder, format: "binary", signal: AbortSignal.abort() });
    await expect(never).rejects.toMatchObject({ code: "aborted" });
  });

  it("with the caller's own reason, also when the disk loses bytes meanwhile", async () => {
    const folder = await tempFolder();
    const handle = await open(folder);
    const datasync = vi.spyOn(Object.getPrototypeOf(handle) as FileHandle, "datasync");
    onTestFinished(() => datasync.mockRestore());
    await handle.close();
    datasync.mockRejectedValue(Object.assign(new Error("EIO: i/o error"), { code: "EIO" }));
    const controller = new AbortController();
    const source = new PassThrough();
    const storing = store(source, { folder, format: "binary", signal: controller.signal });
    storing.catch(() => {});
    // So much that the disk is asked to take it before the end.
    for (let sent = 0; sent < 32; sent++) {
      if (!source.write(Buffer.alloc(2 ** 20))) await once(source, "drain");
    }
    await until("a refusal", () => datasync.mock.calls.length > 0);
    controller.abort();
    await expect(storing).rejects.toMatchObject({ code: "aborted" });
    await expectNothingLeft(folder);
  });

  it("with the caller's own reason, also when its folder is none any more", async () => {
    const parent = await tempFolder();
    const folder = join(parent, "task");
    await mkdir(folder);
    const controller = new AbortController();
    const storing = store(new PassThrough(), { folder, format: "binary", signal: controller.signal });
    await until("the temporary file", async () => (await readdir(folder)).length === 1);
    await rename(folder, join(parent, "moved"));
    await writeFile(folder, "");
    controller.abort();
    await expect(storing).rejects.toMatchObject({ code: "aborted" });
  });

  it("and returns a generator that is not read to its end", async () => {
    const folder = await tempFolder();
    const controller = new AbortController();
    let released = false;
    function* endless() {
      try {
        for (;;) {
          yield "x";
          controller.abort();
        }
      } finally {
        released = true;
      }
    }
    const storing = store(endless(), { folder, format: "binary", signal: controller.signal });
    await expect(storing).rejects.toMatchObject({ code: "aborted" });
    await until("the generator to be released", () => released);
  });

  it("when the disk refuses, and says why", async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, "taken"));
    await expect(store("x", { folder, name: "taken", format: "binary" })).rejects.toMatchObject({
      code: "internal",
      message: `Could not write ${join(folder, "taken")}: a folder has that name; choose another name (EISDIR)`,
    });
    await expect(store("x", { folder: join(folder, "none"), format: "json" })).rejects.toThrow(
      "its folder does not exist; create the task's folder first (ENOENT)",
    );
    expect(await readdir(folder)).toEqual(["taken"]);
  });

  const whatToDo =
    "free some space, keep less of what has ended (retention.max_payload_bytes of a service), or choose another data_dir";

  it.skipIf(process.platform === "win32")("when the file grows larger than is allowed", async () => {
    const folder = await tempFolder();
    expect(await storeInChild(`ulimit -f 1000; exec "$@"`, folder)).toEqual({
      said: [
        `storage_full Could not write ${join(folder, "output.binary")}: a file of this process may not be that large (EFBIG); ${whatToDo}`,
        `storage_full Could not write ${join(folder, "output.csv")}: a file of this process may not be that large (EFBIG); ${whatToDo}`,
        // The copy of an input.
        expect.stringMatching(
          /^storage_full Could not write .*input-.*\.binary: a file of this process may not/,
        ),
      ],
      left: [],
    });
  });

  const noDisk = process.platform !== "linux" || needs("unshare -rm with a tmpfs", hasSmallDisks());
  it.skipIf(noDisk)("when the disk is full", async () => {
    const folder = await tempFolder();
    // Three files: the disk's root, the workflow's folder, and one more.
    expect(await storeInChild(onSmallDisk(folder, "size=2m,nr_inodes=3"), folder)).toEqual({
      said: [
        `storage_full Could not write ${join(folder, "output.binary")}: the disk is full (ENOSPC); ${whatToDo}`,
        `storage_full Could not write ${join(folder, "output.csv")}: the disk is full (ENOSPC); ${whatToDo}`,
        expect.stringMatching(
          /^storage_full Could not write .*input-.*\.binary: the disk is full \(ENOSPC\)/,
        ),
        `storage_full Could not create a folder for the task in ${join(folder, "wf")}: the disk is full (ENOSPC); ${whatToDo}`,
      ],
      left: [],
    });
  });
});

/** Writes too much, in a process of its own that a line of bash starts: what was said, and what files are left. */
async function storeInChild(line: string, folder: string): Promise<{ said: string[]; left: string[] }> {
  const program = `
    import { readdirSync } from "node:fs";
    import { Readable } from "node:stream";
    import { createInlineReference } from "@aieffect/control-interface";
    import { createFilePlane } from "@aieffect/data-plane-file";
    const folder = process.env.FOLDER;
    const plane = createFilePlane({ data_dir: folder });
    const bytes = Buffer.alloc(5e6);
    const stream = Readable.from(Array(50).fill(Buffer.alloc(1e5)), { objectMode: false });
    const said = [];
    const say = (error) => said.push(error.code + " " + error.message);
    await plane.store(bytes, { folder, format: "binary" }).catch(say);
    await plane.store(stream, { folder, format: "csv" }).catch(say);
    await plane.localPath(createInlineReference(bytes, "binary"), folder).catch(say);
    const left = readdirSync(folder);
    for (const task of "ab") await plane.createTaskFolder("wf", task).catch(say);
    console.log(JSON.stringify({ said, left }));`;
  const child = spawn("bash", ["-c", line, "bash", process.execPath, "--input-type=module", "-e", program], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { ...process.env, FOLDER: folder },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill());
  return JSON.parse(String(await buffer(child.stdout)));
}

describe("names", () => {
  it.each([
    ["", "is empty"],
    [".", "is a folder"],
    ["..", "is a folder"],
    ["../a", "has a path separator in it"],
    ["/etc/passwd", "has a path separator in it"],
    ["a\\b", "has a path separator in it"],
    ["a\0", "has a control character in it"],
    ["NUL", "means something else on Windows"],
    ["com1.csv", "means something else on Windows"],
    ["C:a", "means something else on Windows"],
    ["a.", "means something else on Windows"],
    ["x".repeat(256), "is longer than 255 bytes"],
  ])("like %j are refused, and the stream is let go", async (name, problem) => {
    const folder = await tempFolder();
    const content = new PassThrough();
    await expect(store(content, { folder, name, format: "csv" })).rejects.toMatchObject({
      code: "invalid_reference",
      message: `Expected the plain name of a file, found ${JSON.stringify(name)}, which ${problem}; name it for example output.csv`,
    });
    expect(content.destroyed).toBe(true);
    await expectNothingLeft(folder);
  });

  it.each(["a.csv", "énergie 2024.csv", ".hidden", "console.log", "a..b"])(
    "like %j are taken",
    async (name) => {
      const folder = await tempFolder();
      await store("x", { folder, name, format: "csv" });
      expect(await readdir(folder)).toEqual([name]);
    },
  );

  it("of a file written already stay inside the folder", async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, "task"));
    await writeFile(join(folder, "secret"), "x");
    await symlink(join(folder, "secret"), join(folder, "task", "link"));
    const inTask = { folder: join(folder, "task"), format: "binary" } as const;
    for (const path of ["../secret", join(folder, "secret"), "/etc/passwd"]) {
      await expect(store({ path }, inTask)).rejects.toMatchObject({ code: "invalid_reference" });
    }
    await expect(store({ path: "link" }, inTask)).rejects.toThrow("Refused to read");
    await expect(store({ path: "none" }, inTask)).rejects.toThrow("does not exist");
    await expect(store({ path: "." }, inTask)).rejects.toThrow("found a folder");
  });
});
