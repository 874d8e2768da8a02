import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { pristineManifest } from "@aieffect/conformance/zoo";
import { needs, tempFolder } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { judge, shortcomings, unhurried } from "./judge.ts";
import { startProgram } from "./start-program.ts";

const key = "a-key-of-the-lab";
const hasPython =
  spawnSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 9))"]).status === 0;
const python = (file: string) =>
  `exec python3 ${JSON.stringify(fileURLToPath(new URL(`../python/${file}`, import.meta.url)))}`;
const node = `exec ${JSON.stringify(process.execPath)} ${JSON.stringify(
  fileURLToPath(new URL("../dist/services/plain-node.js", import.meta.url)),
)}`;

async function start(command: string, env: Readonly<Record<string, string>> = {}) {
  const share = await tempFolder();
  const { url, spawned } = await startProgram(command, { DATA_DIR: share, ...env });
  onTestFinished(() => spawned.close());
  return { url, spawned, share };
}

/** It keeps its tasks in memory. */
const forgetful = { I09: "warn" } as const;

describe("services without our kit", () => {
  it("in plain Node, started by the harness, is conformant", async () => {
    const { url, spawned, share } = await start(node);
    const report = await judge({ url, spawned, share, manifest: pristineManifest });
    expect(shortcomings(report, forgetful)).toEqual([]);
  });

  describe.skipIf(needs("python3 of 3.9 or newer", hasPython))("in Python's standard library", () => {
    it("is conformant", async () => {
      const { url, spawned, share } = await start(python("pristine_service.py"));
      const report = await judge({ url, spawned, share, manifest: pristineManifest });
      expect(shortcomings(report, { ...forgetful, ...unhurried })).toEqual([]);
    });

    it("with a key is conformant", async () => {
      const { url, share } = await start(python("pristine_service.py"), { SERVICE_API_KEY: key });
      const report = await judge({ url, share, token: key, manifest: pristineManifest, claims: ["auth"] });
      expect(shortcomings(report, unhurried)).toEqual([]);
    });
  });
});
