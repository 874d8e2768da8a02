import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tempFolder, until } from "@aieffect/test-support";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { reportSchema } from "../report/document.ts";
import { parseManifest } from "../target/manifest.ts";
import { answerFault, onExecute } from "../zoo/faults.ts";
import { pristineManifest } from "../zoo/manifest.ts";
import { type Hooks, type PristineOptions, startPristine } from "../zoo/pristine.ts";
import { readAvailable } from "./init.ts";
import { runCommand } from "./run-command.ts";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const token = "canary-token-0123456789";
/** Quick cases of several profiles. */
const some = "C01,C05,T04";

beforeAll(() => {
  if (!existsSync(main)) throw new Error(`Expected ${main}; build it first: npx tsc -b packages/conformance`);
});

interface Running {
  child: ChildProcess;
  out(): string;
  err(): string;
  exit: Promise<number | null>;
}

/** Starts the command in a folder; it is killed when the test ends. */
function start(folder: string, args: string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, INIT_CWD: folder, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const texts = { out: "", err: "" };
  child.stdout.on("data", (chunk) => (texts.out += chunk));
  child.stderr.on("data", (chunk) => (texts.err += chunk));
  const exit = new Promise<number | null>((resolve) => child.on("close", resolve));
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, out: () => texts.out, err: () => texts.err, exit };
}

/** Runs it in this process, through the function that the program calls. */
async function run(folder: string, args: string[], env: Record<string, string> = {}) {
  const texts = { out: "", err: "" };
  const code = await runCommand(args, {
    stdout: { write: (text) => (texts.out += text) },
    stderr: { write: (text) => (texts.err += text) },
    stdin: async () => "",
    env: { PATH: process.env.PATH, ...env },
    folder,
    signal: new AbortController().signal,
  });
  return { code, ...texts };
}

/** Runs the program itself. */
async function runProgram(folder: string, args: string[], env: Record<string, string> = {}) {
  const { out, err, exit } = start(folder, args, env);
  return { code: await exit, out: out(), err: err() };
}

async function zooService(options: PristineOptions = {}) {
  const service = await startPristine({ time_scale: 0.1, ...options });
  onTestFinished(() => service.close());
  return service;
}

/** A folder with the manifest of the zoo's service. */
async function folderWithManifest(more = ""): Promise<string> {
  const folder = await tempFolder();
  await writeFile(join(folder, "conformance.yaml"), pristineManifest + more);
  return folder;
}

const wrongWord: Hooks = answerFault(
  () => {},
  onExecute,
  (body) => (body.status === "complete" ? { body: { ...body, status: "completed" } } : undefined),
);

describe("test", () => {
  it("ends with 0 on a right service, and writes every report", async () => {
    const service = await zooService({ token });
    const folder = await folderWithManifest();
    const args = [
      "test",
      service.url(),
      "--token",
      "env:KEY",
      "--case",
      some,
      "--out",
      "rep",
      "--time-scale",
      "0.1",
    ];
    const { code, out, err } = await runProgram(folder, args, { KEY: token });
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/pass {2}C01[\s\S]*pass {2}C05[\s\S]*pass {2}T04/);
    // What was not chosen is not proven.
    expect(out).toContain("NOT PROVEN");
    expect((await readdir(join(folder, "rep"))).sort()).toEqual([
      "badge.svg",
      "events.ndjson",
      "junit.xml",
      "report.html",
      "report.json",
      "report.md",
    ]);
    const report = reportSchema.parse(JSON.parse(await readFile(join(folder, "rep/report.json"), "utf8")));
    expect(report.cases.find(({ id }) => id === "I01")).toMatchObject({
      status: "skipped",
      reason: "not chosen with --case",
    });
    const events = (await readFile(join(folder, "rep/events.ndjson"), "utf8")).trim().split("\n");
    expect(JSON.parse(events[0] ?? "").type).toBe("run.start");
    expect(JSON.parse(events.at(-1) ?? "").type).toBe("run.end");
    expect(events.join("") + out).not.toContain(token);
  });

  it("ends with 1 on a wrong one, with evidence; with 0 when it is known, with 2 when it is known no more", async () => {
    const bad = await zooService({ hooks: wrongWord });
    const folder = await folderWithManifest();
    const chosen = ["--case", some, "--time-scale", "0.1"];
    const failed = await run(folder, ["test", bad.url(), ...chosen, "--out", "rep"]);
    expect(failed.code).toBe(1);
    expect(failed.out).toMatch(/FAIL {2}C05[\s\S]*E_STATUS_LITERAL[\s\S]*replay {3}curl/);
    expect(await readdir(join(folder, "rep/evidence/C05"))).toContain("repro.sh");

    const written = await run(folder, ["baseline", "write", "rep/report.json", "--until", "2999-12-31"]);
    expect(written).toMatchObject({ code: 0, out: "known-failing.yaml: C05 added\n" });
    const known = await run(folder, ["test", bad.url(), ...chosen, "--quiet"]);
    expect(known.code).toBe(0);
    expect(known.out).toContain("core          NOT PROVEN");

    const good = await zooService();
    const stale = await run(folder, ["test", good.url(), ...chosen, "--report", "json=good.json"]);
    expect(stale.code).toBe(2);
    const pruned = await run(folder, ["baseline", "prune", "good.json"]);
    expect(pruned.out).toBe("known-failing.yaml: C05 taken out\n");
    expect(await readFile(join(folder, "known-failing.yaml"), "utf8")).not.toContain("C05");
    const matrix = await run(folder, [
      "matrix",
      "rep/report.json",
      "good.json",
      "--report",
      "md=-,html=m.html",
    ]);
    expect(matrix.out).toContain("| C05 core/response-shape | ✗ | ✓ |");
  });

  it("ends with 3 where proof is required and there is none", async () => {
    const service = await zooService();
    const { code } = await run(await tempFolder(), [
      "test",
      service.url(),
      "--case",
      "C05",
      "--require-proof",
    ]);
    expect(code).toBe(3);
  });

  it("ends with 69 at once where nobody listens, and says what to do", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await until("a port", () => server.listening);
    const { port } = server.address() as AddressInfo;
    await new Promise((done) => server.close(done));
    const { code, err } = await runProgram(await tempFolder(), ["test", `localhost:${port}`]);
    expect(code).toBe(69);
    expect(err).toContain(
      `Cannot reach http://localhost:${port}: nothing listens on port ${port}.\nStart the service`,
    );
  });

  it("starts a service itself, and ends it", async () => {
    const folder = await folderWithManifest();
    const zoo = new URL("../../dist/zoo/pristine.js", import.meta.url).href;
    await writeFile(
      join(folder, "service.mjs"),
      `import { writeFileSync } from "node:fs"; import { startPristine } from ${JSON.stringify(zoo)};
      await startPristine({ port: Number(process.env.PORT), time_scale: 0.1, token: process.env.SECRET_KEY });
      writeFileSync("pid", String(process.pid));`,
    );
    const args = ["test", "--spawn", `exec ${process.execPath} service.mjs`, "--cwd", ".", "--case", some];
    const running = start(folder, [
      ...args,
      "--time-scale",
      "0.1",
      "--env",
      `SECRET_KEY=${token}`,
      "--token",
      "-",
    ]);
    running.child.stdin?.end(`${token}\n`);
    expect(await running.exit).toBe(0);
    const pid = Number(await readFile(join(folder, "pid"), "utf8"));
    expect(() => process.kill(pid, 0)).toThrow();
    const missing = await run(folder, ["test", "--spawn", "exit 3"]);
    expect(missing).toMatchObject({ code: 69, err: expect.stringContaining("it ended with 3") });
  });

  it("writes the partial report when it is interrupted, and ends with 130", async () => {
    const folder = await folderWithManifest();
    const asked: string[] = [];
    // Health is right, everything else hangs.
    const server = createServer((request, response) => {
      asked.push(request.url ?? "");
      if (request.url === "/health") response.writeHead(200).end("{}");
      if (request.url === "/control/operations") response.writeHead(404).end();
    }).listen(0, "127.0.0.1");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    await until("a port", () => server.listening);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const running = start(folder, ["test", url, "--case", some, "--out", "rep"]);
    await until("a call that hangs", () => asked.includes("/control/execute"));
    running.child.kill("SIGINT");
    expect(await running.exit).toBe(130);
    const report = reportSchema.parse(JSON.parse(await readFile(join(folder, "rep/report.json"), "utf8")));
    expect(report.interrupted).toBe(true);
    const [health, shape] = ["C01", "C05"].map((id) => report.cases.find((one) => one.id === id));
    expect(health?.status).toBe("pass");
    expect(shape).toMatchObject({ status: "skipped", reason: "the run was interrupted" });
    expect(running.out()).toContain("Interrupted");
  });

  it("tells in a dry run what would not run, and what to add, and calls nothing", async () => {
    const service = await zooService();
    const { code, out } = await run(await tempFolder(), [
      "test",
      service.url(),
      "--dry-run",
      "--skip",
      "C01",
    ]);
    expect(code).toBe(0);
    expect(out).toContain("C01  core/health: skipped: left out with --skip");
    expect(out).toMatch(/T04 {2}conc\/visible-at-once: untestable: add to conformance.yaml/);
    expect(service.tasks.size).toBe(0);
  });

  it("names init only to those who have not said what may be called", async () => {
    const service = await zooService();
    const folder = await tempFolder();
    const args = ["test", service.url(), "--case", "C01,C08", "--time-scale", "0.1"];
    expect((await run(folder, args)).out).toContain(
      "To test more, say what may be called: aieffect-conformance init",
    );
    const samples = "samples: { a: { inputs: [{ protocol: inline, uri: !json { x: 1 }, format: json }] } }";
    await writeFile(
      join(folder, "conformance.yaml"),
      `methods: { Echo: { mode: sequential, ${samples} } }\n`,
    );
    const { out } = await run(folder, args);
    expect(out).toContain("add to conformance.yaml: methods: {Echo: {samples: {fail: ");
    expect(out).not.toContain("aieffect-conformance init");
  });

  it("puts a report on standard output alone, and what people read elsewhere", async () => {
    const service = await zooService();
    const folder = await folderWithManifest();
    const args = ["test", service.url(), "--case", "C01", "--report", "console,json=-"];
    const { out, err } = await run(folder, args);
    expect(reportSchema.parse(JSON.parse(out)).cases.length).toBeGreaterThan(1);
    expect(err).toContain("pass  C01");
  });

  it("takes a sample from the command line, and warns about a key there", async () => {
    const service = await zooService({ token });
    const folder = await tempFolder();
    await writeFile(join(folder, "in.json"), '{"x": 1}');
    const sample = ["--method", "Echo", "--input", "inline:in.json", "--params", '{"k": 1}'];
    const { code, out, err } = await run(folder, [
      "test",
      service.url(),
      ...sample,
      "--case",
      "C05",
      "--token",
      token,
    ]);
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining("pass  C05") });
    expect(err).toMatch(/^warning: a key on the command line is seen by everybody/);
    expect([...service.tasks.values()][0]?.body).toMatchObject({
      inputs: [{ format: "json" }],
      parameters: { k: 1 },
    });
  });

  it("lets flags win over the environment, and that over the manifest", async () => {
    const one = await zooService();
    const other = await zooService();
    const folder = await folderWithManifest(`target: { url: "${one.url()}" }\n`);
    const chosen = ["--case", "C01", "--report", "json=-"];
    const target = async (args: string[], env: Record<string, string>) =>
      JSON.parse((await run(folder, ["test", ...args, ...chosen], env)).out);
    expect((await target([], {})).target).toBe(one.url());
    const byEnvironment = await target([], {
      AIEFFECT_CONFORMANCE_URL: other.url(),
      AIEFFECT_CONFORMANCE_POLL_INTERVAL: "50ms",
    });
    expect(byEnvironment).toMatchObject({ target: other.url(), settings: { poll_interval_ms: 50 } });
    const byFlag = await target(["--url", one.url(), "--poll-interval", "70ms"], {
      AIEFFECT_CONFORMANCE_URL: other.url(),
      AIEFFECT_CONFORMANCE_POLL_INTERVAL: "50ms",
    });
    expect(byFlag).toMatchObject({ target: one.url(), settings: { poll_interval_ms: 70 } });
  });

  it("fails for a SHOULD when it is strict", async () => {
    const service = await zooService({
      hooks: answerFault(
        () => {},
        onExecute,
        () => ({ headers: { "content-type": "text/html" } }),
      ),
    });
    const folder = await folderWithManifest();
    const args = ["test", service.url(), "--case", "C05"];
    expect((await run(folder, args)).code).toBe(0);
    const { code, out } = await run(folder, [...args, "--strict", "--repeat", "2"]);
    expect(code).toBe(1);
    expect(out).toMatch(/FAIL {2}C05 .* warn in 2 of 2 runs/);
  });
});

describe("usage", () => {
  it.each([
    [["test"], "Expected the URL of a service"],
    [["test", "ftp://x"], "Expected the URL of a service"],
    [["test", "http://user:pass@x"], "Expected a URL without a user and a password"],
    [["test", "http://x", "--timeout", "30"], "Expected --timeout to be a duration, as in 500ms or 30s"],
    [
      ["test", "http://x", "--case", "X99"],
      'Expected --case to name a case (T04, conc/visible-at-once, conc/**) or a profile, found "X99"',
    ],
    [["test", "http://x", "--claim", "all"], "Expected --claim to name profiles out of core"],
    [["test", "http://x", "--report", "pdf=x"], "Expected --report console, json=FILE, junit=FILE"],
    [["test", "http://x", "--budget", "p95.ack=fast"], "Expected the budget p95.ack as in 300ms"],
    [
      ["test", "http://x", "--token", "env:NOT_SET"],
      "Expected the environment variable NOT_SET to hold the key",
    ],
    [["test", "http://x", "--config", "missing.yaml"], "Expected a manifest that can be read at"],
    [["test", "http://x", "--nonsense"], "Unknown option '--nonsense'; see aieffect-conformance test --help"],
    [["test", "http://x", "--seed", "1", "--seed", "2"], "Expected --seed once, found it 2 times"],
    [["explain", "T4"], 'Expected a case, a code or a rule, found "T4"'],
    [["matrix", "missing.json"], "Expected the report to be a file that can be read"],
    [["frobnicate"], "Expected a command, one of test, list"],
  ])("ends with 64 for %j", async (args, message) => {
    const { code, err } = await run(await tempFolder(), args);
    expect({ code, err }).toEqual({ code: 64, err: expect.stringContaining(message) });
  });

  it("has a help for every command, that names its flags", async () => {
    const folder = await tempFolder();
    const general = await run(folder, ["--help"]);
    expect(general.code).toBe(0);
    const commands = [...general.out.matchAll(/^ {2}aieffect-conformance ([a-z-]+) /gm)].map(
      ([, name]) => name,
    );
    expect(new Set(commands).size).toBe(8);
    const { out } = await run(folder, ["test", "--help"]);
    for (const flag of ["--spawn", "--token", "--known-failing", "--report", "--budget"])
      expect(out).toContain(flag);
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(110);
  });
});

describe("list and explain", () => {
  it("tell what there is, and what is behind it", async () => {
    const folder = await tempFolder();
    const [list, json, about] = await Promise.all([
      run(folder, ["list", "conc/**"]),
      run(folder, ["list", "--json"]),
      run(folder, ["explain", "T04", "E_STATUS_LITERAL", "R-EXEC-09"]),
    ]);
    expect(list.out).toMatch(/^concurrent\n[\s\S]*T04 {2}conc\/visible-at-once .*needs slow/);
    expect(JSON.parse(json.out)).toContainEqual(expect.objectContaining({ id: "I01", level: "MUST" }));
    for (const part of [
      "Register the task before answering",
      "R-STAT-01  A known id answers 200",
      "registers a task 200 ms after it told the handle",
      "Use exactly these words",
      "without one the deployed orchestrator waits for ever",
    ]) {
      expect(about.out).toContain(part);
    }
  });
});

describe("init", () => {
  it("writes what a service tells of itself, once", async () => {
    const service = await zooService({ token });
    const folder = await tempFolder();
    const args = ["init", service.url(), "--token", "env:KEY"];
    const { code, out } = await run(folder, args, { KEY: token });
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringContaining("5 methods, from GET /control/operations"),
    });
    const text = await readFile(join(folder, "conformance.yaml"), "utf8");
    const manifest = parseManifest(text);
    expect(manifest.methods).toMatchObject({
      Echo: { mode: "sequential", samples: { a: { inputs: [{ uri: { $json: { x: 1 } } }] } } },
      Sink: { sink: true },
      Train: { mode: "concurrent" },
    });
    expect(manifest.target).toEqual({ url: service.url(), token: "env:KEY" });
    expect(text).not.toContain(token);
    expect(await run(folder, args, { KEY: token })).toMatchObject({ code: 64 });
    // What it wrote is enough to begin with.
    const tested = await run(folder, ["test", "--case", "C05"], { KEY: token });
    expect(tested.out).toContain("pass  C05");
    expect((await run(folder, [...args, "--force"], { KEY: token })).code).toBe(0);
  });

  it("lets the samples of a generated service be what is read", async () => {
    const service = await zooService();
    const folder = await tempFolder();
    await mkdir(join(folder, "conformance"));
    await writeFile(join(folder, "conformance/echo.yaml"), pristineManifest);
    const args = ["init", service.url()];
    expect(await run(folder, args)).toMatchObject({
      code: 64,
      err: expect.stringContaining(
        'conformance/ says what may be called already (echo.yaml), and "aieffect test"',
      ),
    });
    expect(await readdir(folder)).toEqual(["conformance"]);
    expect((await run(folder, [...args, "--config", "b.yaml"])).code).toBe(0);
    expect((await run(folder, [...args, "--force"])).code).toBe(0);
  });

  it("takes method names from the answer to an unknown one, or leaves them to be filled in", async () => {
    const service = await zooService({ self_description: false });
    const folder = await tempFolder();
    expect((await run(folder, ["init", service.url()])).out).toContain("5 methods, from its answer");
    const names = Object.keys(
      parseManifest(await readFile(join(folder, "conformance.yaml"), "utf8")).methods,
    );
    expect(names).toEqual(["Echo", "Load", "Save", "Sink", "Train"]);

    const silent = createServer((_request, response) => response.writeHead(404).end()).listen(0, "127.0.0.1");
    onTestFinished(() => void silent.close());
    await until("a port", () => silent.listening);
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    expect((await run(folder, ["init", url, "--config", "b.yaml"])).out).toContain(
      "no method names were told",
    );
    const text = await readFile(join(folder, "b.yaml"), "utf8");
    expect(parseManifest(text).methods).toEqual({});
    // Whoever takes the comment signs away has a manifest.
    const { methods } = parseManifest(text.replace(/^ {2}# ( *\w+:)/gm, "  $1"));
    expect(Object.keys(methods.YourMethod?.samples ?? {})).toEqual(["a", "b", "fail", "slow"]);
  });

  it.each([
    [`{"detail":"Unknown method: X. Available: ['GenerateData', 'Analyze']"}`, ["GenerateData", "Analyze"]],
    [`{"detail":"Unknown method: X. Available: [\\"A\\", \\"B\\"]"}`, ["A", "B"]],
    [`{"detail":"Unknown method: Nope. This service has: Mean, Train"}`, ["Mean", "Train"]],
    [`{"status":"failed","error":"Unknown method: X. Available methods: dict_keys(['A_1'])"}`, ["A_1"]],
    [`{"detail":"Not Found"}`, []],
  ])("reads the names out of %s", (text, names) => {
    expect(readAvailable(text)).toEqual(names);
  });
});

describe("serve-fixtures", () => {
  it("serves files and faults until it is interrupted", async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, "a b.csv"), "x\n1\n");
    const { child, out, exit } = start(folder, ["serve-fixtures", "a b.csv"]);
    const url = await until("the URL", () => /(http:\S+a%20b\.csv)\n[\s\S]*Ctrl-C/.exec(out())?.[1]);
    const answer = await fetch(url);
    expect([answer.headers.get("content-type"), await answer.text()]).toEqual(["text/csv", "x\n1\n"]);
    const fault = /404 +(http:\S+)/.exec(out())?.[1] ?? "";
    expect((await fetch(fault)).status).toBe(404);
    child.kill("SIGINT");
    expect(await exit).toBe(0);
  });
});
