import { spawn } from "node:child_process";
import { once } from "node:events";
import { tempFolder } from "@aieffect/test-support";
import { expect, it } from "vitest";
import { writeProgram } from "../testing/programs.ts";

it.skipIf(process.platform === "win32").each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("turns %s into an abort and exit code %d", async (signal, code) => {
  const built = new URL("../../dist/index.js", import.meta.url).href;
  const program = await writeProgram(
    await tempFolder(),
    "program",
    `import { catchStopSignals } from ${JSON.stringify(built)};
     const stop = catchStopSignals();
     const alive = setInterval(() => {}, 1000);
     stop.signal.addEventListener("abort", () => {
       clearInterval(alive);
       stop.release();
       process.exitCode = stop.exitCode();
     });
     console.log("ready");`,
  );
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill(signal);
  expect(await once(child, "exit")).toEqual([code, null]);
});
