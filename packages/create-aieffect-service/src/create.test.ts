import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { hasSmallDisks, needs, onSmallDisk, tempFolder } from "@aieffect/test-support";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";

const program = fileURLToPath(new URL("../dist/create-aieffect-service.mjs", import.meta.url));
const script = (process.env.PATH ?? "").split(delimiter).some((folder) => exists(join(folder, "script")));

beforeAll(async () => {
  // What is tested is the one file that is published.
  const build = spawn(process.execPath, [fileURLToPath(new URL("../dist/build.js", import.meta.url))], {
    stdio: "inherit",
  });
  expect(await new Promise((resolve) => build.once("close", resolve))).toBe(0);
});

function start(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}) {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, CI: "", npm_config_user_agent: "", ...env },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, ended, out: () => out, err: () => err };
}

/** Runs the program without a terminal, as everything but people does. */
async function create(args: readonly string[], cwd: string, env?: NodeJS.ProcessEnv) {
  const { child, ended, out, err } = start(process.execPath, [program, ...args], cwd, env);
  child.stdin.end();
  return { code: await ended, out: out(), err: err() };
}

/** Every path below a folder with what is in it. */
function fingerprint(folder: string, prefix = ""): string[] {
  return readdirSync(join(folder, prefix))
    .sort()
    .flatMap((name) => {
      const path = `${prefix}${name}`;
      if (lstatSync(join(folder, path)).isDirectory()) return [path, ...fingerprint(folder, `${path}/`)];
      return [
        `${path} ${createHash("sha256")
          .update(readFileSync(join(folder, path)))
          .digest("hex")}`,
      ];
    });
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

describe("create-aieffect-service", () => {
  it("writes a project with a name of its own, its manifest and merge base", async () => {
    const cwd = await tempFolder();
    const { code, out, err } = await create(["my-svc", "--template", "file-sequential"], cwd);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain(
      "npm create aieffect-service@0.1.0 -- my-svc --data file --style sequential --pm npm --yes",
    );
    const files = fingerprint(join(cwd, "my-svc")).map((line) => line.split(" ")[0]);
    for (const path of [
      ".aieffect/base.tgz",
      ".dockerignore",
      ".gitattributes",
      ".github/workflows/ci.yml",
      ".gitignore",
      "Dockerfile",
      "README.md",
      "aieffect.json",
      "compose.yaml",
      "proto/my-svc.proto",
      "src/main.ts",
      "test/conformance.test.ts",
    ]) {
      expect(files).toContain(path);
    }
    const text = (path: string) => readFileSync(join(cwd, "my-svc", path), "utf8");
    for (const path of files.filter(
      (one) => one !== undefined && /\.(ts|md|proto|yaml|json|mjs)$/.test(one),
    )) {
      expect(text(String(path))).not.toMatch(/load-cleaner|LoadCleaner|workspace:|catalog:|&amp;/);
    }
    const { name, scripts, dependencies } = JSON.parse(text("package.json"));
    expect({ name, test: scripts.test, kit: dependencies["@aieffect/service-kit"] }).toEqual({
      name: "my-svc",
      test: "vitest run",
      kit: "^0.1.0",
    });
    expect(JSON.parse(text("aieffect.json"))).toMatchObject({
      schema: 1,
      name: "my-svc",
      template: "file-sequential",
      answers: { name: "my-svc", style: "sequential", data: "file", pm: "npm" },
    });
  });

  it("gives the same bytes again by its replay command, and by --overwrite", async () => {
    const cwd = await tempFolder();
    const { out } = await create(["one", "--name", "same", "--operation", "DropRows", "--pm", "pnpm"], cwd);
    const replay = /pnpm create aieffect-service@\S+ (.*)/.exec(out)?.[1]?.split(" ") ?? [];
    expect(await create(["two", ...replay.slice(1)], cwd)).toMatchObject({ code: 0 });
    expect(fingerprint(join(cwd, "two"))).toEqual(fingerprint(join(cwd, "one")));
    expect(await create([...replay, "--overwrite", "--json"], cwd)).toMatchObject({ code: 0, err: "" });
    expect(fingerprint(join(cwd, "one"))).toEqual(fingerprint(join(cwd, "two")));
  });

  it("tells everything and writes nothing with --dry-run, not even the folder", async () => {
    const cwd = await tempFolder();
    const list = await create(["svc", "--dry-run"], cwd);
    const diff = await create(["svc", "--dry-run", "--diff"], cwd);
    // As package managers hand it on.
    const json = await create(["--", "svc", "--dry-run", "--json"], cwd);
    expect([list.code, diff.code, json.code, readdirSync(cwd)]).toEqual([0, 0, 0, []]);
    expect(list.out).toContain("+ src/main.ts\n");
    expect(diff.out).toContain("+++ b/src/main.ts\n");
    const { ok, dry_run, files } = JSON.parse(json.out);
    expect({ ok, dry_run }).toEqual({ ok: true, dry_run: true });
    expect(files.map(({ path }: { path: string }) => `+ ${path}\n`).join("")).toBe(list.out);
  });

  it("becomes a package of a workspace with --into, whose file keeps its comments", async () => {
    const cwd = await tempFolder();
    writeFileSync(join(cwd, "pnpm-workspace.yaml"), "packages:\n  # ours\n  - libs/*\n");
    expect(await create(["--name", "svc", "--into", "."], cwd)).toMatchObject({ code: 0, err: "" });
    expect(readFileSync(join(cwd, "pnpm-workspace.yaml"), "utf8")).toBe(
      "packages:\n  # ours\n  - libs/*\n  - services/*\n",
    );
    const before = fingerprint(cwd);
    expect(exists(join(cwd, "services/svc/pnpm-workspace.yaml"))).toBe(false);
    expect(JSON.parse(readFileSync(join(cwd, "services/svc/aieffect.json"), "utf8")).answers.pm).toBe("pnpm");
    expect(await create(["--name", "svc", "--into", ".", "--merge"], cwd)).toMatchObject({ code: 0 });
    expect(fingerprint(cwd)).toEqual(before);
  });

  it("goes beside the folder that the user is in, if that is what the path says", async () => {
    const cwd = await tempFolder();
    mkdirSync(join(cwd, "here"));
    expect(await create(["../there/my-svc"], join(cwd, "here"))).toMatchObject({ code: 0, err: "" });
    expect([readdirSync(join(cwd, "here")), exists(join(cwd, "there/my-svc/src/main.ts"))]).toEqual([
      [],
      true,
    ]);
  });

  it("keeps what is there with --merge, and replaces it with --overwrite", async () => {
    const cwd = await tempFolder();
    mkdirSync(join(cwd, "svc"));
    writeFileSync(join(cwd, "svc/README.md"), "mine\n");
    writeFileSync(join(cwd, "svc/notes.txt"), "mine\n");
    const readme = () => readFileSync(join(cwd, "svc/README.md"), "utf8");
    expect(await create(["svc", "--merge"], cwd)).toMatchObject({ code: 0 });
    expect([readme(), exists(join(cwd, "svc/src/main.ts"))]).toEqual(["mine\n", true]);
    const again = await create(["svc", "--merge"], cwd);
    expect(again.out).toMatch(/^0 files in svc, .*\nkept yours: README\.md; /);
    expect(await create(["svc", "--overwrite"], cwd)).toMatchObject({ code: 0 });
    expect(readme()).toContain("# svc\n");
    expect(readFileSync(join(cwd, "svc/notes.txt"), "utf8")).toBe("mine\n");
  });

  it("takes the name of the folder that the user is in, through a link as well", async () => {
    const cwd = await tempFolder();
    mkdirSync(join(cwd, "here-svc"));
    symlinkSync("here-svc", join(cwd, "link"));
    expect(await create(["."], join(cwd, "here-svc"))).toMatchObject({ code: 0, err: "" });
    expect(await create(["link", "--name", "here-svc", "--merge", "--json"], cwd)).toMatchObject({ code: 0 });
    expect(readFileSync(join(cwd, "here-svc/aieffect.json"), "utf8")).toContain('"name": "here-svc"');
  });

  it("makes a repository, but none within another", async () => {
    const cwd = await tempFolder();
    const who = { GIT_AUTHOR_NAME: "t", GIT_COMMITTER_NAME: "t", EMAIL: "t@example.org" };
    const git = (folder: string) => exists(join(cwd, folder, ".git"));
    expect(await create(["one", "--git"], cwd, who)).toMatchObject({ code: 0, err: "" });
    const { code, out } = await create(["one/services/two", "--git"], cwd, who);
    expect([code, git("one"), git("one/services/two")]).toEqual([0, true, false]);
    expect(out).toContain("it lies in a repository already");
  });

  it.runIf(process.platform !== "win32").each(["file-energy", "protobuf-energy"])(
    "makes of %s a project that needs nothing of the repository",
    async (example) => {
      const cwd = await tempFolder();
      expect(await create(["energy", "--example", example], cwd)).toMatchObject({ code: 0, err: "" });
      const submit = start("sh", ["energy/submit-workflow.sh", "--help"], cwd);
      expect([await submit.ended, submit.err(), submit.out()]).toEqual([
        0,
        "",
        expect.stringContaining("ORCHESTRATOR_URL"),
      ]);
      const text = (path: string) => readFileSync(join(cwd, "energy", path), "utf8");
      for (const path of [
        "connections.json",
        "docker-compose.yml",
        "submit-workflow.sh",
        "scripts/submit-workflow.sh",
      ]) {
        expect([path, text(path).match(/\.\.\/\.\.|start\.sh/)]).toEqual([path, null]);
      }
      // The programs that its README runs.
      const programs = { "@aieffect/cli": "^0.1.0", "@aieffect/orchestrator-lite": "^0.1.0" };
      expect(JSON.parse(text("package.json"))).toMatchObject({ devDependencies: programs });
      expect(JSON.parse(text("connections.json"))).toHaveProperty("pipeline.connections");
    },
  );

  it("has help and a version", async () => {
    const cwd = await tempFolder();
    expect(await create(["--version"], cwd)).toMatchObject({ code: 0, out: "0.1.0\n" });
    const { code, out } = await create(["--help"], cwd);
    expect([code, out]).toEqual([0, expect.stringContaining("file-concurrent")]);
  });
});

describe("a failure", () => {
  it.each([
    [["full"], 3, "error AE1301 target-not-empty", "found 1 entry (mine.txt)"],
    [["svc", "--template", "nonsense"], 2, "error AE1202 unknown-choice", "file-sequential"],
    [["svc", "--style", "quick"], 2, "error AE1202 unknown-choice", "concurrent, sequential"],
    [["svc", "--example", "nonsense"], 2, "error AE1202 unknown-choice", "file-energy"],
    [["../x"], 2, "error AE1201 bad-name", '"x"'],
    [["a/../../x", "--name", "ok-name"], 2, "error AE1205 outside-target", '".."'],
    [["svc", "--name", "../x"], 2, "error AE1201 bad-name", '"../x"'],
    [["CON"], 2, "error AE1201 bad-name", '"CON"'],
    [["con", "--name", "ok-name"], 2, "error AE1205 outside-target", "a device of Windows"],
    [["a".repeat(300)], 2, "error AE1201 bad-name", "(300 characters)"],
    [["größe"], 2, "error AE1201 bad-name", '"größe"'],
    [["svc", "--operation", "lower"], 2, "error AE1201 bad-name", '"lower"'],
    [[], 2, "error AE1203 missing-answer", "--name <value>"],
    [["--yes"], 2, "error AE1203 missing-answer", "--name <value>"],
    [["svc", "--nonsense"], 2, "error AE1204 bad-usage", "--nonsense"],
    [["one", "two"], 2, "error AE1204 bad-usage", "found 2: one, two"],
    [["one", "file-sequential"], 2, "error AE1204 bad-usage", "try:  npm create aieffect-service -- --help"],
    [["svc", "--merge", "--overwrite"], 2, "error AE1204 bad-usage", "found both"],
    [["svc", "--template", "file-sequential", "--style", "concurrent"], 2, "error AE1204 bad-usage", "agree"],
    [["--name", "svc", "--into", "full"], 4, "error AE1401 not-a-service", "no pnpm-workspace.yaml"],
    [["full/mine.txt/svc"], 5, "error AE1501 write-failed", "everything is as it was"],
    [["full/mine.txt", "--name", "svc"], 3, "error AE1301 target-not-empty", "found a file"],
    [["full/mine.txt", "--name", "svc", "--overwrite"], 3, "error AE1301 target-not-empty", "found a file"],
    [["My Größe.2"], 2, "error AE1201 bad-name", "try:  --name my-grosse-2"],
    [["node_modules"], 2, "error AE1201 bad-name", "try:  --name node-modules"],
    [["svc", "--operation", "drop rows"], 2, "error AE1201 bad-name", "try:  --operation DropRows"],
    [["svc", "--pm", "yarn"], 2, "error AE1202 unknown-choice", "try:  --pm npm | --pm pnpm"],
  ])("%j ends with %i and changes nothing", async (args, code, head, told) => {
    const cwd = await tempFolder();
    mkdirSync(join(cwd, "full"));
    writeFileSync(join(cwd, "full/mine.txt"), "mine\n");
    const before = fingerprint(cwd);
    const found = await create(args, cwd);
    expect([found.code, found.out]).toEqual([code, ""]);
    expect(found.err).toContain(head);
    expect(found.err).toContain(told);
    expect(found.err).toMatch(/\n {2}(nothing was written|everything is as it was)\n/);
    expect(fingerprint(cwd)).toEqual(before);
  });

  it("is one JSON object on standard output with --json", async () => {
    const { code, out, err } = await create(["CON", "--json"], await tempFolder());
    expect([code, err, JSON.parse(out)]).toEqual([
      2,
      "",
      {
        ok: false,
        error: {
          code: "AE1201",
          name: "bad-name",
          where: "folder",
          message: expect.stringContaining('found "CON"'),
          state: "nothing was written",
          try: ["--name con-service"],
        },
        exit_code: 2,
      },
    ]);
  });

  it.skipIf(process.platform !== "linux")("ends below a folder that takes none", async () => {
    const { code, err } = await create(["/proc/nothing/svc"], await tempFolder());
    expect([code, err]).toEqual([5, expect.stringContaining("error AE1501 write-failed")]);
  });

  it.skipIf(needs("unshare with tmpfs", hasSmallDisks()))(
    "of a full disk leaves nothing behind",
    async () => {
      const cwd = await tempFolder();
      const disk = join(cwd, "disk");
      mkdirSync(disk);
      const list = `"$@"; code=$?; ls -A "${disk}"; exit $code`;
      const line = onSmallDisk(disk, "size=24k");
      const { child, ended, out, err } = start(
        "bash",
        ["-c", line, "bash", "bash", "-c", list, "bash", process.execPath, program, "disk/svc"],
        cwd,
      );
      child.stdin.end();
      expect([await ended, out()]).toEqual([5, ""]);
      expect(err()).toMatch(
        /error AE1501 write-failed .*no space left on device, write\n {2}everything is as it was\n/,
      );
      expect(err()).toContain("make room on the disk");
    },
  );
});

describe.skipIf(process.platform === "win32")("what programs write while it installs", () => {
  it("is in the temporary folder only where one of them fails", async () => {
    const cwd = await tempFolder();
    const [bin, tmp] = [join(cwd, "bin"), join(cwd, "tmp")];
    for (const folder of [bin, tmp]) mkdirSync(folder);
    const env = { PATH: `${bin}${delimiter}${process.env.PATH}`, TMPDIR: tmp };
    const stand = (text: string) => writeFileSync(join(bin, "npm"), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    expect(await create(["plain"], cwd, env)).toMatchObject({ code: 0 });
    stand("echo installed");
    expect(await create(["fine", "--install"], cwd, env)).toMatchObject({ code: 0, err: "" });
    expect(readdirSync(tmp)).toEqual([]);
    stand("echo no such package; exit 7");
    const { code, err } = await create(["failing", "--install"], cwd, env);
    expect([code, err]).toEqual([5, expect.stringContaining("found 7:\nno such package\n")]);
    const log = /the log is (.*)$/m.exec(err)?.[1] ?? "";
    expect(readFileSync(log, "utf8")).toBe("no such package\n");
    expect(readdirSync(tmp)).toHaveLength(1);
  });
});

describe.skipIf(process.platform === "win32")("Ctrl-C while it installs", () => {
  it("ends with 130 and keeps the project, which is whole", async () => {
    const cwd = await tempFolder();
    mkdirSync(join(cwd, "bin"));
    // Stands in for a package manager that takes long.
    writeFileSync(join(cwd, "bin/npm"), "#!/bin/sh\ntouch installing\nexec sleep 60\n", { mode: 0o755 });
    const child = spawn(process.execPath, [program, "svc", "--install", "--pm", "npm"], {
      cwd,
      // The log, which is kept, goes with the test.
      env: { ...process.env, PATH: `${join(cwd, "bin")}${delimiter}${process.env.PATH}`, TMPDIR: cwd },
      detached: true,
    });
    let err = "";
    child.stderr.on("data", (chunk) => {
      err += chunk;
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    await expect.poll(() => exists(join(cwd, "svc/installing")), { timeout: 10_000 }).toBe(true);
    // A terminal sends it to all that run in it.
    process.kill(-(child.pid as number), "SIGINT");
    expect([await ended, err]).toEqual([130, expect.stringContaining("error AE1901 cancelled")]);
    expect(err).toContain("the project is kept in ");
    expect(exists(join(cwd, "svc/src/main.ts"))).toBe(true);
  });
});

describe.skipIf(needs("script, which gives a program a terminal", script))("on a terminal", () => {
  /** What a terminal shows, without colours and cursor movements. */
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const plain = (text: string) => text.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, "");

  const terminal = (cwd: string, args = "") =>
    start(
      "script",
      ["-qefc", `stty cols 100 rows 40; exec "${process.execPath}" "${program}" ${args}`, "/dev/null"],
      cwd,
      {
        TERM: "xterm",
      },
    );

  const questions = ["What is the service called", "How long does one call take?", "How does data travel?"];

  it("asks at most five questions, then creates what was answered", async () => {
    const cwd = await tempFolder();
    const { child, ended, out } = terminal(cwd);
    for (const [index, question] of [...questions, "Create it?"].entries()) {
      await expect.poll(() => plain(out()), { timeout: 10_000 }).toContain(question);
      child.stdin.write(index === 0 ? "asked-svc\r" : "\r");
    }
    expect({ code: await ended, out: plain(out()) }).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(join(cwd, "asked-svc/aieffect.json"), "utf8"))).toMatchObject({
      template: "file-concurrent",
    });
  });

  it.each([0, 1, 2, 3])("ends with 130 on Ctrl-C at question %i, and has written nothing", async (stop) => {
    const cwd = await tempFolder();
    const { child, ended, out } = terminal(cwd);
    for (const [index, question] of [...questions, "Create it?"].slice(0, stop + 1).entries()) {
      await expect.poll(() => plain(out()), { timeout: 10_000 }).toContain(question);
      child.stdin.write(index === stop ? "\u0003" : index === 0 ? "asked-svc\r" : "\r");
    }
    expect([await ended, readdirSync(cwd)]).toEqual([130, []]);
    expect(plain(out())).toContain("error AE1901 cancelled");
    expect(plain(out())).toContain("nothing was written");
  });

  it("asks nothing with --yes", async () => {
    const cwd = await tempFolder();
    const { ended, out } = terminal(cwd, "quiet-svc --yes");
    expect(await ended).toBe(0);
    expect(plain(out())).not.toContain("?");
  });
});
