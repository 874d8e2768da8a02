import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import type { DataReference } from "@aieffect/control-interface";
import { needs, tempFolder } from "@aieffect/test-support";
import { expect, it } from "vitest";
import { peakOf } from "./peak-memory.ts";
import { scale } from "./scale.ts";
import { spawnService } from "./spawn-service.ts";

const MiB = 2 ** 20;
const size_bytes = scale({ short: 64 * MiB, full: 1024 * MiB });

it(`a result of ${size_bytes / MiB} MiB crosses over gRPC in constant memory on either side`, async () => {
  const data_dir = await tempFolder();
  const maker = spawnService("grpc-service", { DATA_DIR: data_dir, GRPC_PORT: "0" });
  const counter = spawnService("grpc-service", { DATA_DIR: await tempFolder(), GRPC_PORT: "0" });
  const [from, to] = [await maker.listening(), await counter.listening()];
  const made = await complete(from, "Make", { parameters: { size_bytes } });
  expect(made).toMatchObject({ metadata: { stream: "aieffect.dataplane.v1.Results/Read" } });
  // What is on disk is what the reference speaks of.
  expect(await checksumOf(`${data_dir}/wf-1/task-1/endurance.Endurance.Make.pb`)).toBe(made.checksum);
  const counted = await complete(to, "Count", { inputs: [made] });
  expect(JSON.parse(Buffer.from(counted.uri, "base64").toString())).toMatchObject({
    size_bytes,
    messages: Math.ceil(size_bytes / 1_000_000),
  });
  if (needs("/proc", existsSync("/proc/self/status"))) return;
  for (const { child } of [maker, counter]) expect(await peakOf(child.pid)).toBeLessThan(250e6);
});

async function complete(url: string, method: string, fields: object): Promise<DataReference> {
  const body = JSON.stringify({ method, workflow_id: "wf-1", task_id: "task-1", ...fields });
  const response = await fetch(`${url}/control/execute`, { method: "POST", body });
  const answer = (await response.json()) as { output: DataReference };
  expect(answer).toMatchObject({ status: "complete" });
  return answer.output;
}

async function checksumOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of createReadStream(path, { highWaterMark: MiB })) hash.update(bytes);
  return `sha256:${hash.digest("hex")}`;
}
