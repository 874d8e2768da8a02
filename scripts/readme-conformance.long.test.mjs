/** packages/conformance/README.md, run: its commands, one after another, on a service of ours. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { freePort, root, start } from "./run-readme.mjs";

describe("packages/conformance/README.md", () => {
  const folder = `${root}packages/conformance/`;

  it("has commands that work, one after another, on a service of ours", { timeout: 120_000 }, async () => {
    const text = await readFile(`${folder}README.md`, "utf8");
    const commands = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block]) =>
      block.trim().split("\n"),
    );
    expect(commands.length).toBeGreaterThan(5);
    const cwd = await mkdtemp(join(tmpdir(), "aieffect-readme-"));
    const own = await freePort();
    const service = start(`node "${root}packages/service-kit/examples/hello.mjs"`, { PORT: String(own) });
    await expect.poll(service.output, { timeout: 20_000 }).toContain("listening");
    try {
      for (const line of commands) {
        // Where it is not installed npx would look for it elsewhere.
        const here = line
          .replace("npx aieffect-conformance", `node "${folder}bin/aieffect-conformance.mjs"`)
          .replaceAll("localhost:8080", `localhost:${own}`);
        const command = start(here, { INIT_CWD: cwd });
        expect({ line, code: await command.ended, output: command.output() }).toMatchObject({ code: 0 });
      }
    } finally {
      await rm(cwd, { recursive: true, force: true });
    }
  });
});
