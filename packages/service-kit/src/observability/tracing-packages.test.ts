import { spawn } from "node:child_process";
import { cp, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it } from "vitest";
import { startCollector } from "../testing/collector.ts";

const kit = fileURLToPath(new URL("../../", import.meta.url));
const sdk = ["@opentelemetry/sdk-trace-base", "@opentelemetry/exporter-trace-otlp-http"];

/** Runs one task in a process of its own; tells what was said, and which packages of OpenTelemetry were loaded. */
async function runTask(entry: string, env: Record<string, string>) {
  const folder = await tempFolder();
  const file = join(folder, "service.mjs");
  await writeFile(
    file,
    `import { createRequire } from "node:module";
    import { defineOperation, sequentialService, serve } from ${JSON.stringify(pathToFileURL(entry).href)};
    const operation = defineOperation({ name: "Ping", sink: true, run: () => undefined });
    const service = sequentialService({ operations: [operation], log_level: "silent" });
    const { url, close } = await serve(service, { host: "127.0.0.1", port: 0 });
    const body = JSON.stringify({ method: "Ping", workflow_id: "w", task_id: "t" });
    const answer = await fetch(url + "/control/execute", { method: "POST", body });
    await answer.text();
    await close();
    const loaded = Object.keys(createRequire(import.meta.url).cache).map((path) => path.replaceAll("\\\\", "/"));
    console.log(JSON.stringify({ status: answer.status, loaded }));`,
  );
  // Whoever runs the tests may have told node of further places for packages.
  const own = { NODE_PATH: "", DATA_DIR: folder };
  const child = spawn(process.execPath, [file], { env: { ...process.env, ...own, ...env } });
  let out = "";
  let errors = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  await new Promise((resolve) => child.once("close", resolve));
  const { status, loaded = [] } = JSON.parse(out || "{}") as { status?: number; loaded?: string[] };
  const ofSdk = loaded.filter((path) => sdk.some((name) => path.includes(`node_modules/${name}/`)));
  return { status, isLoaded: ofSdk.length > 0, errors };
}

/** The kit with everything that it needs, and nothing that it can do without. */
async function installWithoutSdk(): Promise<string> {
  const folder = join(await tempFolder(), "node_modules");
  const target = join(folder, "@aieffect", "service-kit");
  await mkdir(target, { recursive: true });
  await cp(join(kit, "package.json"), join(target, "package.json"));
  await cp(join(kit, "dist"), join(target, "dist"), { recursive: true });
  for (const name of await readdir(join(kit, "node_modules"))) {
    if (name.startsWith(".") || name === "@opentelemetry") continue;
    const names = name.startsWith("@") ? await readdir(join(kit, "node_modules", name)) : [""];
    await mkdir(join(folder, name.startsWith("@") ? name : ""), { recursive: true });
    for (const inner of names)
      await symlink(join(kit, "node_modules", name, inner), join(folder, name, inner), "junction");
  }
  await mkdir(join(folder, "@opentelemetry"));
  const api = join("@opentelemetry", "api");
  await symlink(join(kit, "node_modules", api), join(folder, api), "junction");
  return join(target, "dist", "index.js");
}

describe("the packages that send traces", () => {
  it("are loaded where traces are sent, and not where they are not", async () => {
    const entry = join(kit, "dist", "index.js");
    const collector = await startCollector();
    const OTEL_EXPORTER_OTLP_ENDPOINT = collector.url;
    const [off, disabled, on] = await Promise.all([
      runTask(entry, {}),
      runTask(entry, { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: "true" }),
      runTask(entry, { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME: "on" }),
    ]);
    expect(off).toEqual({ status: 200, isLoaded: false, errors: "" });
    expect(disabled).toEqual({ status: 200, isLoaded: false, errors: "" });
    expect(on).toEqual({ status: 200, isLoaded: true, errors: "" });
    expect((await collector.arrived(1)).map((span) => span.service)).toEqual(["on", "on"]);
  });

  it("are asked for where they are missing, with the line that installs them", async () => {
    const entry = await installWithoutSdk();
    const [off, on] = await Promise.all([
      runTask(entry, {}),
      runTask(entry, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" }),
    ]);
    expect(off).toEqual({ status: 200, isLoaded: false, errors: "" });
    expect(on.errors).toContain(
      "TypeError: Expected the packages that send traces, because traces_endpoint (OTEL_EXPORTER_OTLP_ENDPOINT) is set; found no @opentelemetry/sdk-trace-base. Install them: npm install @opentelemetry/sdk-trace-base@2 @opentelemetry/exporter-trace-otlp-http@0.223",
    );
  });
});
