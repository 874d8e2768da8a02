import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { tempFolder } from "@aieffect/test-support";
import { expect, it } from "vitest";
import { removeState, writeState } from "./state-file.ts";

const state = {
  orchestrator: "http://127.0.0.1:1",
  blueprint: "/b",
  dockerinfo: "/d",
  services: { a1: "http://x" },
};

it("leaves the state of another run alone, and removes its own", async () => {
  const file = join(await tempFolder(), "state.json");
  await writeState(file, { ...state, pid: 2 });
  await removeState(file, 1);
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual({ ...state, pid: 2 });
  await removeState(file, 2);
  await expect(readFile(file)).rejects.toThrow("ENOENT");
  await removeState(file, 2);
});
