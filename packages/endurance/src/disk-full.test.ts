/** A service whose file of tasks cannot grow: it says so, keeps what it has, and goes on when there is room. */
import { execFileSync, spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ControlClient, ControlError } from "@aieffect/control-interface";
import { needs, tempFolder, until } from "@aieffect/test-support";
import { expect, it, onTestFinished } from "vitest";
import { spawnService } from "./spawn-service.ts";

const prlimit = spawnSync("prlimit", ["--version"]).status === 0;

it.skipIf(needs("prlimit (util-linux)", prlimit))("goes on after its disk was full", async () => {
  const folder = await tempFolder();
  const gate = join(folder, "gate");
  const env = { DATA_DIR: join(folder, "data"), TASK_STORE: `sqlite:${join(folder, "state")}`, GATE: gate };
  const service = spawnService("mortal", env, ["prlimit", "--fsize=1000000:unlimited"]);
  const url = await service.listening();
  const client = new ControlClient({ base_url: url });
  onTestFinished(() => client.close());
  const workflow_id = "wf";
  const execute = (method: string, task_id: string) => client.execute({ method, workflow_id, task_id });

  const gated = (await execute("Gated", "gated")).task_id as string;
  const acknowledged: string[] = [];
  let refusal: unknown;
  for (let index = 0; refusal === undefined && index < 1000; index++) {
    const task_id = `endless-${index}-${"x".repeat(900)}`;
    await execute("Endless", task_id).then(
      ({ task_id: handle }) => acknowledged.push(handle as string),
      (error: unknown) => {
        refusal = error;
      },
    );
  }
  // Less than a page of the database, and more than the outputs here.
  execFileSync("prlimit", [`--pid=${service.child.pid}`, "--fsize=4096:unlimited"]);
  expect(acknowledged.length).toBeGreaterThan(5);
  expect(refusal).toBeInstanceOf(ControlError);
  expect(refusal).toMatchObject({ peer_status: 503, retry_after_s: expect.any(Number) });
  expect((refusal as Error).message).toContain("cannot reach the store that keeps its tasks");
  const said = `Expected to read and write ${join(folder, "state", "tasks.db")}, found:`;
  await until("the log to say so in full", () => service.said().includes(said));
  expect((await fetch(`${url}/ready`)).status).toBe(503);

  // A task ends meanwhile: nobody hears of an end that is not kept.
  await writeFile(gate, "");
  await until("the end to be refused", () => service.said().includes("does not take the end of a task"));
  expect((await client.status(gated)).reading).toMatchObject({ status: "running" });
  const unknown = client.status(`endless-${acknowledged.length}-${"x".repeat(900)}`);
  await expect(unknown).rejects.toMatchObject({ peer_status: 404 });

  execFileSync("prlimit", [`--pid=${service.child.pid}`, "--fsize=unlimited"]);
  await until("the end to be kept", async () => (await client.status(gated)).reading.status === "complete");
  expect((await fetch(`${url}/ready`)).status).toBe(200);
  expect((await execute("Quick", "quick")).status).toBe("complete");

  await service.kill();
  const again = new ControlClient({ base_url: await spawnService("mortal", env).listening() });
  onTestFinished(() => again.close());
  expect((await again.status(gated)).reading.status).toBe("complete");
  expect((await again.status("quick")).reading.status).toBe("complete");
  for (const handle of acknowledged) expect((await again.status(handle)).retryable).toBe(true);
});
