import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { tempFolder } from "@aieffect/test-support";
import { expect, it, onTestFinished } from "vitest";
import { runSuite } from "../../engine/run.ts";
import { spawnTarget } from "../../target/spawn.ts";
import { health } from "../core/c01-health.ts";
import { nothingLeaks } from "./w4-nothing-leaks.ts";

const secret = "postgres://admin:hunter22@db";

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it.each([
  ["the values of variables that only the service should know", "process.env.DATABASE", "E_SECRET_SHOWN"],
  ["frames of a stack", "new Error('boom').stack", "E_INTERNALS"],
  ["nothing of it", "process.env.SELF_URL", undefined],
])("finds in the replies of a service that was started: %s", async (_what, shown, code) => {
  const [folder, port] = [await tempFolder(), await freePort()];
  const file = join(folder, "service.mjs");
  await writeFile(
    file,
    `import { createServer } from "node:http";
    createServer((_, response) => response.end(JSON.stringify({ status: "ok", shown: ${shown} })))
      .listen(${port}, "127.0.0.1");`,
  );
  const url = `http://127.0.0.1:${port}`;
  const spawned = await spawnTarget({
    command: `exec node ${file}`,
    env: { DATABASE: secret, SELF_URL: url },
    health_url: `${url}/health`,
    ready_timeout_ms: 10_000,
    stop_signal: "SIGTERM",
  });
  onTestFinished(() => spawned.close());
  const { results } = await runSuite({ url, spawned, cases: [health, nothingLeaks] });
  expect(results[1]?.findings.map((finding) => finding.code)).toEqual(code === undefined ? [] : [code]);
  // What is found must not be told once more.
  expect(JSON.stringify(results[1]?.findings.map(({ found }) => found))).not.toContain(secret);
});
