import type { TaskView } from "@aieffect/orchestrator-lite";
import { describe, expect, it } from "vitest";
import { createProgress } from "./progress.ts";

function createScreen(isTTY: boolean) {
  let written = "";
  const output = { isTTY, columns: 50, write: (text: string) => (written += text) };
  let time = 0;
  const wait = (ms: number) => {
    time += ms;
  };
  const progress = createProgress("Train", output, () => time);
  const told = {
    status: "running",
    progress: 50,
    message: "epoch 1\x1b[2J of 20, which takes a while",
  } as TaskView;
  return { progress, told, written: () => written, wait };
}

describe("the progress of a task", () => {
  it("is a bar on one line of a terminal, which is gone in the end", () => {
    const { progress, told, written, wait } = createScreen(true);
    wait(2500);
    progress.update(told);
    progress.end();
    const [first, second, ...rest] = written().split("\r\x1b[2K").slice(1);
    expect(first).toBe(`Train [${"-".repeat(24)}]   0%  0 s`);
    expect(second).toBe(`Train [${"#".repeat(12)}${"-".repeat(12)}]  50%  2 s  epoch`);
    expect(rest).toEqual([""]);
  });

  it("is a line for every change elsewhere", () => {
    const { progress, told, written } = createScreen(false);
    progress.update(told);
    progress.update(told);
    progress.update({ ...told, status: "completed" });
    progress.end();
    expect(written()).toBe("Train running 50%: epoch 1\uFFFD[2J of 20, which takes a while\n");
  });
});
