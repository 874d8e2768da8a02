import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { tempFolder, until } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { broken, lingering, listening, silent, writeProgram } from "../testing/programs.ts";
import { startServices } from "./start-services.ts";

async function isGone(url: string): Promise<boolean> {
  return fetch(url).then(
    () => false,
    () => true,
  );
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("startServices", () => {
  it("runs every program with the shared folders and a port of its own, until it is stopped", async () => {
    const data_dir = await tempFolder();
    const entry = await writeProgram(data_dir, "service", listening);
    const running = await startServices({
      programs: [
        { container_name: "one1", entry },
        { container_name: "two1", entry, env: { COLOUR: "blue" } },
      ],
      data_dir,
      data_roots: ["/first", "/second"],
      extra: { COLOUR: "red" },
    });
    onTestFinished(running.stop);
    const environments = await Promise.all(
      ["one1", "two1"].map(async (name) => (await fetch(running.urls[name] ?? "")).json()),
    );
    const shared = {
      HOST: "127.0.0.1",
      PORT: "0",
      DATA_DIR: data_dir,
      DATA_ROOTS: `/first${delimiter}/second`,
    };
    expect(environments[0]).toMatchObject({ ...shared, COLOUR: "red" });
    expect(environments[1]).toMatchObject({ ...shared, COLOUR: "blue" });
    expect(running.urls.one1).not.toBe(running.urls.two1);

    // On Linux a child can be told the size of its parent; this one is made large enough to show.
    const ballast = Buffer.alloc(200e6, 1);
    const late = await startServices({ programs: [{ container_name: "late1", entry }], data_dir });
    onTestFinished(late.stop);
    expect(ballast.length + ((await late.peakRss()).late1 ?? 0)).toBeLessThan(ballast.length + 100e6);
    const peaks = await running.peakRss();
    expect(Object.keys(peaks)).toEqual(["one1", "two1"]);
    for (const peak of Object.values(peaks)) {
      expect(peak).toBeGreaterThan(20e6);
      expect(peak).toBeLessThan(100e6);
    }
    expect(await readFile(join(data_dir, "logs", "one1.log"), "utf8")).toContain("a line that is no JSON\n");

    await running.stop();
    for (const { url, pid, ended } of running.services) {
      expect(await ended).toBe("it ended with exit code 0");
      expect(await isGone(url)).toBe(true);
      expect(isAlive(pid)).toBe(false);
    }
    expect(await running.peakRss()).toEqual({});
    await running.stop();
  });

  it("says why a service did not start, with the end of its log, and stops the others", async () => {
    const data_dir = await tempFolder();
    const programs = [
      { container_name: "good1", entry: await writeProgram(data_dir, "good", listening) },
      { container_name: "bad1", entry: await writeProgram(data_dir, "bad", broken) },
    ];
    const log = join(data_dir, "logs", "bad1.log");
    const lines = Array.from({ length: 12 }, (_, index) => `\n  line ${index + 9}`).join("");
    await expect(startServices({ programs, data_dir })).rejects.toThrow(
      new Error(
        `Service bad1 did not start: it ended with exit code 3. The end of its log (${log}):${lines}`,
      ),
    );
    const good = await readFile(join(data_dir, "logs", "good1.log"), "utf8");
    expect(await isGone(JSON.parse(good.split("\n").find((line) => line.startsWith("{")) ?? "").url)).toBe(
      true,
    );
  });

  it("gives up on a service that never listens", async () => {
    const data_dir = await tempFolder();
    const programs = [{ container_name: "silent1", entry: await writeProgram(data_dir, "silent", silent) }];
    await expect(startServices({ programs, data_dir, start_timeout_ms: 300 })).rejects.toThrow(
      "Service silent1 did not start: it did not listen within 300 ms. It logged nothing (",
    );
  });

  it("gives up when asked to", async () => {
    const data_dir = await tempFolder();
    const programs = [{ container_name: "silent1", entry: await writeProgram(data_dir, "silent", silent) }];
    const signal = AbortSignal.timeout(200);
    await expect(startServices({ programs, data_dir, signal })).rejects.toThrow("aborted due to timeout");
  });

  it.skipIf(process.platform === "win32")("lets a service clean up that is asked to stop twice", async () => {
    const data_dir = await tempFolder();
    const programs = [
      { container_name: "slow1", entry: await writeProgram(data_dir, "slow", lingering) },
      {
        container_name: "silent1",
        entry: await writeProgram(data_dir, "both", lingering.split("process.once")[0] ?? ""),
      },
    ];
    const running = await startServices({ programs, data_dir });
    onTestFinished(running.stop);
    const [slow, heedless] = running.services;
    process.kill(slow?.pid ?? 0, "SIGTERM");
    await until("the first signal", async () =>
      (await readFile(slow?.log_file ?? "", "utf8")).includes("asked to stop"),
    );
    await running.stop();
    expect(await slow?.ended).toBe("it ended with exit code 0");
    // One that handles no signal ends at the first.
    expect(await heedless?.ended).toBe("it ended with exit code 143");
  });

  it("names a program that is not there", async () => {
    const data_dir = await tempFolder();
    const entry = join(data_dir, "nothing.mjs");
    await expect(startServices({ programs: [{ container_name: "none1", entry }], data_dir })).rejects.toThrow(
      entry,
    );
  });

  it.skipIf(process.platform === "win32")(
    "leaves nothing behind when its own process is killed",
    async () => {
      const data_dir = await tempFolder();
      const entry = await writeProgram(data_dir, "service", listening);
      const built = new URL("../../dist/index.js", import.meta.url).href;
      const parent = await writeProgram(
        data_dir,
        "parent",
        `import { writeFileSync } from "node:fs";
       import { startServices } from ${JSON.stringify(built)};
       const options = { programs: [{ container_name: "one1", entry: ${JSON.stringify(entry)} }], data_dir: ${JSON.stringify(data_dir)} };
       const { services } = await startServices(options);
       writeFileSync(${JSON.stringify(join(data_dir, "pid"))}, String(services[0].pid));
       console.log("started");`,
      );
      const child = spawn(process.execPath, [parent], { stdio: ["ignore", "pipe", "inherit"] });
      await once(child.stdout, "data");
      const pid = Number(await readFile(join(data_dir, "pid"), "utf8"));
      expect(isAlive(pid)).toBe(true);
      child.kill("SIGKILL");
      await until("the service to end", () => !isAlive(pid));
    },
  );
});
