/**
 * Starts the built service as it runs in production, has an orchestrator execute every operation with
 * its sample `a` of conformance/, fetches each result, and stops the service. Exit code 0 when all of
 * that worked.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readManifest, samplesOf } from "@aieffect/conformance";
import { createOrchestrator } from "@aieffect/orchestrator-lite";

const root = fileURLToPath(new URL("../", import.meta.url));
const samples = join(root, "conformance");
const data_dir = await mkdtemp(join(tmpdir(), "service-smoke-"));
const service = spawn(process.execPath, [join(root, "dist/main.js")], {
  env: { ...process.env, HOST: "127.0.0.1", PORT: "0", DATA_DIR: data_dir },
  stdio: ["ignore", "pipe", "inherit"],
});
const ended = new Promise((resolve) => service.once("exit", resolve));
const orchestrator = await createOrchestrator({ listen: false });
try {
  const url = new URL(await Promise.race([listening(), ended.then(neverListened)]));
  for (const sample of await readSamples()) console.log(await runTask(url, sample));
} finally {
  await orchestrator.close();
  service.kill("SIGTERM");
  const code = await ended;
  await rm(data_dir, { recursive: true, force: true });
  // Windows has no signals: there it is killed.
  if (code !== 0 && process.platform !== "win32") {
    console.error(`Expected the service to stop with exit code 0, found ${code}`);
    process.exitCode = 1;
  }
}

/** One task through the orchestrator, as a pipeline of one node. */
async function runTask(url, { method, inputs, parameters }) {
  const started = performance.now();
  const { workflow_id } = await orchestrator.submit({
    blueprint: {
      name: "Smoke test",
      pipeline_id: "smoke",
      nodes: [
        {
          container_name: "service1",
          node_type: "DataSink",
          operation_signature_list: [{ operation_signature: { operation_name: method } }],
        },
      ],
    },
    dockerinfo: {
      docker_info_list: [{ container_name: "service1", ip_address: url.hostname, port: url.port }],
    },
    inputs: await Promise.all(inputs.map(toReference)),
    ...(parameters && { parameters: { [`service1:${method}`]: parameters } }),
  });
  const { status, error } = await orchestrator.wait(workflow_id);
  if (status !== "completed") throw new Error(`Expected ${method} to complete, found ${status}: ${error}`);
  const [task] = await orchestrator.tasks(workflow_id);
  const [output] = task.output_refs;
  const size = output === undefined ? "no output" : `${await sizeOf(output, url)} bytes of ${output.format}`;
  return `complete: ${method}, ${size}, ${Math.round(performance.now() - started)} ms`;
}

/** The bytes behind an output, fetched as the next service would. */
async function sizeOf({ protocol, uri }, { host }) {
  if (protocol === "inline") return Buffer.from(uri, "base64").length;
  if (protocol === "file") return (await readFile(uri)).length;
  const answer = await fetch(Object.assign(new URL(uri), { host }));
  if (!answer.ok) throw new Error(`Expected the result at ${uri}, found ${answer.status}`);
  return (await answer.arrayBuffer()).byteLength;
}

/** The sample `a` of every operation. */
async function readSamples() {
  const files = (await readdir(samples)).filter((name) => name.endsWith(".yaml"));
  const manifests = await Promise.all(files.map((name) => readManifest(join(samples, name))));
  return manifests
    .flatMap((manifest) => samplesOf(manifest, () => "either"))
    .filter(({ name }) => name === "a");
}

async function toReference({ uri, ...reference }) {
  if (typeof uri === "string") return { ...reference, uri };
  const bytes =
    uri.$fixture === undefined
      ? (uri.$b64 ?? JSON.stringify(uri.$json))
      : await readFile(join(samples, uri.$fixture));
  return { ...reference, protocol: "inline", uri: Buffer.from(bytes).toString("base64") };
}

/** Where the service says that it listens. */
function listening() {
  let log = "";
  return new Promise((resolve) => {
    service.stdout.on("data", (chunk) => {
      log += chunk;
      const line = log.split("\n").find((found) => /"msg":"listening".*\}$/.test(found));
      if (line !== undefined) resolve(JSON.parse(line).url);
    });
  });
}

function neverListened(code) {
  throw new Error(`Expected the service to listen, found that it ended with exit code ${code}`);
}
