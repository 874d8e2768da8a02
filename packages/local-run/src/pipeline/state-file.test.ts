import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it } from "vitest";
import { claimState, removeState, writeState } from "./state-file.ts";

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

describe("claimState", () => {
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;

  it("gives the file to one of two that start at once, until it is given back", async () => {
    const file = join(await tempFolder(), "state.json");
    expect(
      (await Promise.all([claimState(file, process.pid), claimState(file, process.ppid)])).sort(),
    ).toEqual([false, true]);
    const { pid } = JSON.parse(await readFile(file, "utf8"));
    expect(await claimState(file, process.pid)).toBe(false);
    await removeState(file, pid);
    expect(await claimState(file, process.pid)).toBe(true);
    await removeState(file, process.pid);
  });

  it.each([
    ["a process that is gone", JSON.stringify({ ...state, pid: dead })],
    ["an earlier process with the same id", JSON.stringify({ ...state, pid: process.pid })],
    ["a whole group of processes", JSON.stringify({ ...state, pid: 0 })],
    ["nobody", '{"orchestr'],
    ["nobody, as JSON", "null"],
  ])("replaces the file of %s", async (_, text) => {
    const file = join(await tempFolder(), "state.json");
    await writeFile(file, text);
    expect(await claimState(file, process.pid)).toBe(true);
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual({ pid: process.pid });
    await removeState(file, process.pid);
  });
});
