import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { tempFolder, until } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import type { DevEvent } from "../dev/dev-events.ts";
import { aieffect, type RunningCommand, startAieffect } from "../testing/aieffect.ts";

const kit = new URL("../../../service-kit/dist/index.js", import.meta.url).href;

/** A service whose one operation has this name, and takes until it is aborted when it is called Wait. */
const source = (name: string) => `
import { once } from "node:events";
import { concurrentService, defineOperation, serve } from "${kit}";
const run = async ({ progress, publish, signal }) => {
  progress(30, "half way");
  if ("${name}" === "Wait") await once(signal, "abort");
  return publish("{}", { format: "json", as: "inline" });
};
await serve(concurrentService({ operations: [defineOperation({ name: "${name}", run })] }));
`;

async function createProject() {
  const folder = await tempFolder();
  await mkdir(join(folder, "src"));
  await writeFile(
    join(folder, "package.json"),
    '{ "type": "module", "scripts": { "start": "node src/main.mjs" } }',
  );
  const write = (name: string) => writeFile(join(folder, "src/main.mjs"), source(name));
  return { folder, write };
}

const eventsOf = ({ printed }: RunningCommand): DevEvent[] =>
  printed()
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));

function find<T extends DevEvent["type"]>(
  command: RunningCommand,
  type: T,
  matches = (_: Extract<DevEvent, { type: T }>) => true,
) {
  const isIt = (event: DevEvent): event is Extract<DevEvent, { type: T }> =>
    event.type === type && matches(event as never);
  return until(type, () => eventsOf(command).find(isIt), 20_000);
}

/** Runs the operation as one workflow, through the orchestrator's HTTP API. */
async function submit(orchestrator: string, service: string, operation: string): Promise<void> {
  const signature = { operation_signature: { operation_name: operation } };
  const answer = await fetch(`${orchestrator}/workflows`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      blueprint: {
        name: "x",
        pipeline_id: "1",
        nodes: [{ container_name: "a1", node_type: "MLModel", operation_signature_list: [signature] }],
      },
      dockerinfo: {
        docker_info_list: [{ container_name: "a1", ip_address: "127.0.0.1", port: new URL(service).port }],
      },
    }),
  });
  expect(answer.status).toBe(200);
}

const anyPorts = ["--port", "0", "--orchestrator-port", "0"];

describe("aieffect dev", () => {
  it("runs a service with an orchestrator, starts it anew on a change, and ends cleanly", async () => {
    const { folder, write } = await createProject();
    await write("Train");
    const dev = startAieffect(["dev", "--json", ...anyPorts], folder);
    const { url, orchestrator_url, operations } = await find(dev, "ready");
    expect(operations).toEqual(["Train"]);
    await submit(orchestrator_url, url, "Train");
    await find(dev, "workflow", ({ status }) => status === "completed");
    const told = eventsOf(dev).flatMap((event) => (event.type === "task" ? [event.status] : []));
    expect([told.at(0), told.filter((status) => status !== "running")]).toEqual(["running", ["complete"]]);

    await write("Wait");
    await find(dev, "starting", ({ because }) => because === join("src", "main.mjs"));
    await find(dev, "ready", (event) => event.operations[0] === "Wait");
    await submit(orchestrator_url, url, "Wait");
    await find(dev, "task", ({ status, progress }) => status === "running" && progress === 30);

    await writeFile(join(folder, "src/main.mjs"), "syntax error(");
    await find(
      dev,
      "task",
      ({ status, error }) => status === "failed" && error?.includes("sending it again") === true,
    );
    expect((await find(dev, "ended")).code).toBe(1);
    await write("Again");
    await find(dev, "ready", (event) => event.operations[0] === "Again");

    dev.child.kill("SIGINT");
    const { code, err } = await dev.ended;
    expect([code, err, eventsOf(dev).at(-1)]).toEqual([0, "", { type: "stopped" }]);
    await expect(fetch(`${url}/health`)).rejects.toThrow();
    await expect(fetch(`${orchestrator_url}/health`)).rejects.toThrow();
  });

  it("runs any command for people to watch, and kills what does not end", async () => {
    const folder = await tempFolder();
    await writeFile(
      join(folder, "app.js"),
      `
      const server = require("node:http").createServer((_, response) => response.end('{"status":"ok"}'));
      server.listen(process.env.PORT, () => console.log("up", process.env.SELF_URL));
      process.on("SIGTERM", () => console.log("not yet"));
    `,
    );
    const dev = startAieffect(["dev", "--command", "node app.js", ...anyPorts], folder);
    await expect
      .poll(dev.printed, { timeout: 20_000 })
      .toMatch(/ready: service http:\/\/localhost:\d+, orchestrator /);
    // What it prints comes another way than what it answers.
    await expect
      .poll(dev.printed, { timeout: 20_000 })
      .toMatch(/starting: node app\.js\n[\s\S]*\| up http:\/\/localhost:\d+\n/);
    const [, url = ""] = /up (\S+)/.exec(dev.printed()) ?? [];
    dev.child.kill("SIGINT");
    await expect.poll(dev.printed, { timeout: 20_000 }).toContain("not yet");
    dev.child.kill("SIGINT");
    expect((await dev.ended).code).toBe(130);
    await until("the service to be gone", () =>
      fetch(`${url}/health`).then(
        () => false,
        () => true,
      ),
    );
  });

  it("says what to do where there is nothing to start, or the port is taken", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { folder, write } = await createProject();
    await write("Train");
    const [empty, taken, wrong] = await Promise.all([
      aieffect(["dev", "--json"], await tempFolder()),
      aieffect(["dev", "--port", String(port)], folder),
      aieffect(["dev", "--port", "http"], folder),
    ]);
    expect([empty.code, JSON.parse(empty.out).error.code]).toEqual([5, "AE5001"]);
    expect([taken.code, taken.err]).toEqual([
      5,
      expect.stringMatching(/^error AE5002 port-taken .*\n.*\n {2}try: {2}--port 0/),
    ]);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('found "http"')]);
  });
});
