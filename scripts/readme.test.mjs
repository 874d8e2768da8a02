/** README.md, run: every shell line does what it says, and the code that is shown is code that runs. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { freePort, port, root, start } from "./run-readme.mjs";

const readme = await readFile(`${root}README.md`, "utf8");
const blocks = [...readme.matchAll(/^```(sh|js)\n(.*?)^```$/gms)].map(([, language, text]) => ({
  language,
  text,
}));
const lines = blocks
  .filter(({ language }) => language === "sh")
  .flatMap(({ text }) => text.trim().split("\n"));

/** Lines that are not run here, and why. */
const notRun = {
  "npm test": "is what runs this",
  "npm run create -- ../my-svc --template file-sequential":
    "writes beside the repository; npm run e2e:registry creates them all",
  "npm run create -- ../my-energy --example file-energy --verify": "writes beside the repository, as above",
  "./start.sh file_based_energy_pipeline": "needs a Docker engine",
  "./stop.sh file_based_energy_pipeline": "needs a Docker engine",
};
/** Lines that stay in the foreground until a signal, and what they say when they are ready. */
const staying = { "npm run hello": '"msg":"listening"', "npm run demo -- --keep": "Ctrl-C" };

describe("README.md", () => {
  it("has its two commands in the first block", () => {
    expect(lines.slice(0, 2)).toEqual(["npm run demo", "npm test"]);
  });

  it("excuses no line that is not there", () => {
    expect(Object.keys({ ...notRun, ...staying }).filter((line) => !lines.includes(line))).toEqual([]);
  });

  for (const line of lines.filter((known) => !(known in notRun))) {
    // cmd.exe knows neither shell scripts nor single quotes.
    const needsShell = process.platform === "win32" && /^curl|\.sh\b/.test(line);
    it.skipIf(needsShell)(line, { timeout: 120_000 }, async () => {
      const command = start(line.replaceAll("localhost:8080", `localhost:${port}`));
      if (line in staying) {
        await expect.poll(command.output, { timeout: 60_000 }).toContain(staying[line]);
        return;
      }
      expect({ line, code: await command.ended, output: command.output() }).toMatchObject({ code: 0 });
      if (line.includes("text/event-stream")) expect(command.output()).toContain('"status":"complete"');
      else if (line.startsWith("curl")) expect(JSON.parse(command.output())).not.toHaveProperty("detail");
    });
  }

  it("shows a service that works", async () => {
    const shown = blocks.find(({ language }) => language === "js").text;
    const file = `${root}packages/service-kit/examples/.readme-${process.pid}.mjs`;
    await writeFile(file, shown);
    try {
      const own = await freePort();
      const command = start(`node "${file}"`, { PORT: String(own), HOST: "127.0.0.1" });
      await expect.poll(command.output, { timeout: 20_000 }).toContain("listening");
      const inputs = [
        { protocol: "inline", uri: Buffer.from("value\n1\n3\n").toString("base64"), format: "csv" },
      ];
      const answer = await fetch(`http://127.0.0.1:${own}/control/execute`, {
        method: "POST",
        body: JSON.stringify({ method: "Mean", workflow_id: "w", task_id: "t", inputs }),
      });
      const { output } = await answer.json();
      expect(JSON.parse(Buffer.from(output.uri, "base64"))).toEqual({ mean: 2 });
    } finally {
      await rm(file);
    }
  });
});

describe.each([
  "packages/control-interface",
  "packages/service-kit",
  "packages/conformance",
  "packages/onboarding",
])("%s/README.md", (folder) => {
  it("shows programs that run", async () => {
    const text = await readFile(`${root}${folder}/README.md`, "utf8");
    const programs = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, program]) => program);
    expect(programs.length).toBeGreaterThan(0);
    await mkdir(`${root}${folder}/examples`, { recursive: true });
    for (const [index, program] of programs.entries()) {
      const file = `${root}${folder}/examples/.readme-${process.pid}-${index}.mjs`;
      await writeFile(file, program);
      try {
        const command = start(`node "${file}"`);
        // Servers say so and stay; the others end.
        if (/\b(serve|listen)\(/.test(program))
          await expect.poll(command.output, { timeout: 20_000 }).toContain("listening");
        else expect({ code: await command.ended, output: command.output() }).toMatchObject({ code: 0 });
      } finally {
        await rm(file);
      }
    }
  });
});
