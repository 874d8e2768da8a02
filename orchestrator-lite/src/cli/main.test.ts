import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tempFolder, until } from "@aieffect/test-support";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { chainSubmission } from "../testing/documents.ts";
import { echo, fakeService, type Reply } from "../testing/fake-service.ts";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

beforeAll(() => {
  if (!existsSync(main)) throw new Error(`Expected ${main}; build it first: npx tsc -b orchestrator-lite`);
});

interface Running {
  child: ChildProcess;
  out(): string;
  err(): string;
  exit: Promise<number | null>;
}

/** Starts the command; it is killed when the test ends. */
function start(args: string[], env: Record<string, string> = {}, program = main): Running {
  const { INIT_CWD: _folder, ...rest } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...rest, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { out: "", err: "" };
  child.stdout.on("data", (chunk) => (texts.out += chunk));
  child.stderr.on("data", (chunk) => (texts.err += chunk));
  const exit = new Promise<number | null>((resolve) => child.on("close", resolve));
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, out: () => texts.out, err: () => texts.err, exit };
}

/** Writes a chain's documents into a new folder. */
async function documents(port: number, ...nodes: string[]) {
  const folder = await tempFolder();
  const { blueprint, dockerinfo } = chainSubmission(port, ...nodes);
  await writeFile(join(folder, "b.json"), JSON.stringify(blueprint));
  await writeFile(join(folder, "d.json"), JSON.stringify(dockerinfo));
  return folder;
}

describe("run", () => {
  it("shows how it goes, prints the final outputs and exits with 0", async () => {
    const json = Buffer.from('{"rows":[1,2]}').toString("base64");
    const service = await fakeService(({ body }) => ({
      json: {
        status: "complete",
        output:
          body.method === "A"
            ? body.inputs[0]
            : { protocol: "inline", uri: json, format: "json", metadata: {} },
      },
    }));
    const folder = await documents(service.port, "a:A", "b:B");
    await writeFile(join(folder, "in.csv"), "x\n1\n");
    // Relative paths start where the user called the package manager.
    const { out, err, exit } = start(
      ["--", "run", "b.json", "d.json", "--input", "in.csv", "--input", "inline:in.csv"],
      { INIT_CWD: folder },
    );
    expect([await exit, out()]).toEqual([
      0,
      'b:B: inline json\n  {\n    "rows": [\n      1,\n      2\n    ]\n  }\n',
    ]);
    expect(err().trim().split("\n")).toEqual(["+ a:A completed", "> b:B running", "+ b:B completed"]);
    expect(service.executes()[0]?.body.inputs).toMatchObject([
      { protocol: "file", uri: join(folder, "in.csv"), format: "csv" },
      { protocol: "inline", uri: Buffer.from("x\n1\n").toString("base64"), format: "csv" },
    ]);
  });

  it("prints everything as JSON", async () => {
    const { port } = await fakeService(echo);
    const folder = await documents(port, "a:A");
    const input = '{"protocol":"grpc","uri":"h:1","format":"Get"}';
    const { out, err, exit } = start([
      "run",
      join(folder, "b.json"),
      join(folder, "d.json"),
      "--json",
      "--input",
      input,
    ]);
    expect(await exit).toBe(0);
    expect(JSON.parse(out())).toMatchObject({
      status: "completed",
      error: null,
      outputs: [{ format: "json" }],
      tasks: [{ node_key: "a:A" }],
    });
    expect(err()).toBe("");
  });

  it("exits with 1 when the workflow failed, and keeps terminals safe from its error", async () => {
    const { port } = await fakeService(() => ({ json: { status: "failed", error: "\x1b[31mbroken" } }));
    const folder = await documents(port, "a:A");
    const { err, exit } = start(["run", join(folder, "b.json"), join(folder, "d.json")]);
    expect(await exit).toBe(1);
    expect(err()).toMatch(/Task task_[0-9a-f]{16} failed: \uFFFD\[31mbroken\n$/);
  });

  it("exits with 5 when a service is not there", async () => {
    const service = await fakeService(echo);
    await service.close();
    const folder = await documents(service.port, "a:A");
    const { err, exit } = start(["run", join(folder, "b.json"), join(folder, "d.json")]);
    expect(await exit).toBe(5);
    expect(err()).toContain("nothing listens there");
  });

  it("gives parameters to nodes, as JSON or from a file", async () => {
    const service = await fakeService(() => ({ json: { status: "complete", output: null } }));
    const folder = await documents(service.port, "a:A");
    await writeFile(join(folder, "p.json"), '{"a:A": {"epochs": 6}}');
    const run = ["run", "b.json", "d.json", "--parameters"];
    const codes = [];
    for (const given of ['{"a:A": {"epochs": 5}}', "p.json", '{"a:A"', '{"b:B": {}}']) {
      codes.push(await start([...run, given], { INIT_CWD: folder }).exit);
    }
    expect(codes).toEqual([0, 0, 2, 4]);
    expect(service.executes().map(({ body }) => body.parameters)).toEqual([{ epochs: 5 }, { epochs: 6 }]);
  });

  it("exits with 4 when a document is invalid", async () => {
    const folder = await documents(1, "a:A");
    await writeFile(join(folder, "d.json"), "{}");
    const invalid = start(["run", join(folder, "b.json"), join(folder, "d.json")]);
    expect([await invalid.exit, invalid.err()]).toEqual([
      4,
      "Invalid dockerinfo: docker_info_list: required, found nothing\n",
    ]);
    await writeFile(join(folder, "b.json"), "no json");
    const unreadable = start(["run", join(folder, "b.json"), join(folder, "d.json")]);
    expect(await unreadable.exit).toBe(4);
    expect(unreadable.err()).toMatch(/^Invalid blueprint: expected JSON in /);
  });

  it.each([
    [["run", "missing.json", "d.json"], "Expected the blueprint to be a file that can be read"],
    [["run", "b.json", "d.json", "--input", "missing.csv"], "Expected --input to be a file that can be read"],
    [
      ["run", "b.json", "d.json", "--services-api-key-env", "NOT_SET"],
      "Expected the environment variable NOT_SET",
    ],
    [["serve", "--port", "99999"], "Expected port to be an integer from 0 to 65535"],
    [[], "Expected the command serve, run or conformance, found nothing"],
  ])("exits with 2 for %j", async (args, message) => {
    const { err, exit } = start(args, { INIT_CWD: await documents(1, "a:A") });
    expect(await exit).toBe(2);
    expect(err()).toContain(message);
  });

  it("cancels the workflow on Ctrl-C and exits with 130", async () => {
    const service = await fakeService(({ path }): Reply => {
      if (path === "/control/execute") return { json: { status: "running", task_id: "h1" } };
      return path === "/control/cancel/h1" ? { status: 202 } : "hang";
    });
    const folder = await documents(service.port, "a:A");
    const { child, err, exit } = start(["run", join(folder, "b.json"), join(folder, "d.json")]);
    await until("the poll", () => service.calls.some(({ path }) => path === "/control/status/h1"));
    child.kill("SIGINT");
    expect(await exit).toBe(130);
    expect(err()).toMatch(/Interrupted: workflow wf-[0-9a-f]{12} is cancelled\n$/);
    expect(service.calls.some(({ path }) => path === "/control/cancel/h1")).toBe(true);
  });

  it("sends the key and shows it nowhere", async () => {
    const service = await fakeService(({ headers }) => ({
      json: { status: "failed", error: `no: ${headers.authorization}` },
    }));
    const folder = await documents(service.port, "a:A");
    const { out, err, exit } = start(
      ["run", join(folder, "b.json"), join(folder, "d.json"), "--services-api-key-env", "THE_KEY"],
      { THE_KEY: "canary-0123456789" },
    );
    expect(await exit).toBe(1);
    expect(service.executes()[0]?.headers.authorization).toBe("Bearer canary-0123456789");
    expect(out() + err()).not.toContain("canary");
  });
});

describe("conformance", () => {
  it("starts the harness where it is installed, and ends as it does", async () => {
    const service = await fakeService(echo);
    await service.close();
    const { err, exit } = start(["conformance", `http://127.0.0.1:${service.port}`]);
    expect([await exit, err()]).toEqual([69, expect.stringContaining("nothing listens on port")]);
    const listed = start(["conformance", "list", "core/health"]);
    expect([await listed.exit, listed.out()]).toEqual([0, expect.stringContaining("C01  core/health")]);
  });

  it("says how to install it elsewhere", async () => {
    const folder = await tempFolder();
    await cp(join(main, "../.."), join(folder, "dist"), { recursive: true });
    await writeFile(join(folder, "package.json"), '{"type": "module"}');
    const { err, exit } = start(
      ["conformance", "http://x"],
      { INIT_CWD: folder, NODE_PATH: "" },
      join(folder, "dist/cli/main.js"),
    );
    expect([await exit, err()]).toEqual([
      2,
      expect.stringContaining("install it with: npm install --save-dev @aieffect/conformance"),
    ]);
  });
});

describe("serve", () => {
  /** Starts it on a free port and reads the address from its log. */
  async function serve(env: Record<string, string> = {}) {
    const running = start(["serve"], {
      HOST: "",
      LOG_LEVEL: "",
      LOG_DIR: "",
      ORCHESTRATOR_API_KEY: "",
      PORT: "0",
      ...env,
    });
    const url = await until("the address", () => /"url":"([^"]+)"/.exec(running.out())?.[1]);
    return { ...running, url };
  }

  it("serves the API, logs JSON lines, and stops with 0 on SIGTERM although a call runs", async () => {
    const service = await fakeService(() => "hang");
    const folder = await tempFolder();
    const { child, url, exit, out } = await serve({ LOG_DIR: folder });
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: "ok" });
    const submission = { ...chainSubmission(service.port, "a:A"), services_api_key: "canary-0123456789" };
    const headers = { "content-type": "application/json" };
    await fetch(`${url}/workflows`, { method: "POST", body: JSON.stringify(submission), headers });
    await until("the call", () => service.calls.length === 1);
    child.kill("SIGTERM");
    expect(await exit).toBe(0);
    const lines = out()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ msg }) => msg)).toEqual([`listening on ${url}`, "stopping"]);
    const [file] = await readdir(folder);
    expect(await readFile(join(folder, file as string), "utf8")).toBe(out());
    expect(out()).not.toContain("canary");
  });

  it("takes key and address from the environment", async () => {
    const { url, out } = await serve({ ORCHESTRATOR_API_KEY: "secret" });
    expect((await fetch(`${url}/workflows/x`)).status).toBe(401);
    expect((await fetch(`${url}/workflows/x`, { headers: { authorization: "Bearer secret" } })).status).toBe(
      404,
    );
    expect(out()).toContain('"key_required":true');
    expect(out()).not.toContain('secret"');
  });

  it("warns when it is open to everyone", async () => {
    const { out } = await serve({ HOST: "0.0.0.0" });
    await until("the warning", () => out().includes("set ORCHESTRATOR_API_KEY"));
  });

  it("says what to do when the port is taken", async () => {
    const { url } = await serve();
    const { err, exit } = start(["serve", "--port", new URL(url).port]);
    expect(await exit).toBe(1);
    expect(err()).toContain("something listens there already; choose another port");
  });

  it("exits with 2 for an environment that makes no sense", async () => {
    const { err, exit } = start(["serve"], { PORT: "http" });
    expect([await exit, err()]).toEqual([2, 'Expected PORT to be an integer from 0 to 65535, got "http"\n']);
    const limit = start(["serve"], { MAX_CALLS_PER_SERVICE: "0" });
    expect([await limit.exit, limit.err()]).toEqual([
      2,
      'Expected MAX_CALLS_PER_SERVICE to be an integer of at least 1, got "0"\n',
    ]);
  });
});

it("--help teaches with examples", async () => {
  const { out, exit } = start(["--help"]);
  expect(await exit).toBe(0);
  expect(out()).toContain("Examples:");
});
