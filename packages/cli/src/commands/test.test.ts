import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it } from "vitest";
import { aieffect } from "../testing/aieffect.ts";
import { startDeployed } from "../testing/start-deployed.ts";
import { startService } from "../testing/start-service.ts";

describe("aieffect test", () => {
  it("judges a service, by default the one at PORT", async () => {
    const { port } = await startService();
    const folder = await tempFolder();
    const args = ["test", "--case", "C01", "--case", "C06", "--report", "console,junit=report/junit.xml"];
    const { code, out } = await aieffect(args, folder, { PORT: String(port) });
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining("C06") });
    expect(await readFile(join(folder, "report/junit.xml"), "utf8")).toContain("<testsuite");
    const json = await aieffect(["test", `http://127.0.0.1:${port}`, "--case", "C01", "--json"], folder);
    expect([json.code, JSON.parse(json.out)]).toMatchObject([0, { counts: { fail: 0 } }]);
  });

  it("knows what may be called from the manifests in conformance/, one for each operation", async () => {
    const { url } = await startService();
    const folder = await tempFolder();
    await mkdir(join(folder, "conformance"));
    await writeFile(join(folder, "conformance/rows.csv"), "time,value\n1,2\n");
    const input = "{ protocol: http, uri: !fixture rows.csv, format: csv }";
    await writeFile(
      join(folder, "conformance/count-rows.yaml"),
      `methods: { CountRows: { mode: sequential, samples: { a: { inputs: [${input}] } } } }`,
    );
    const wait =
      "methods: { Wait: { mode: concurrent, samples: { slow: { parameters: { seconds: 2 }, expect-at-least: 2s } } } }";
    await writeFile(join(folder, "conformance/wait.yaml"), wait);
    const args = ["test", url, "--case", "Q02", "--case", "T01"];
    const [planned, run] = await Promise.all([
      aieffect([...args, "--dry-run"], folder),
      aieffect([...args.slice(0, 4), "--json"], folder),
    ]);
    // Without a sample neither could be tested.
    expect([planned.code, planned.out]).toEqual([0, expect.stringMatching(/^2 of \d+ cases would run/)]);
    expect([run.code, JSON.parse(run.out).counts]).toMatchObject([0, { pass: 1 }]);
    await writeFile(join(folder, "conformance/wait.yaml"), "methods: 5");
    const broken = await aieffect([...args, "--json"], folder);
    expect([broken.code, JSON.parse(broken.out).error]).toMatchObject([
      4,
      { code: "AE4302", message: expect.stringContaining("wait.yaml: methods") },
    ]);
  });

  it("ends with 8 when something fails, 9 when nobody answers, 2 when it was called wrongly", async () => {
    const { url } = await startDeployed({ "GET /health": [500, { status: "ok" }] });
    const folder = await tempFolder();
    const [failing, absent, wrong, wrongJson, explained] = await Promise.all([
      aieffect(["test", "--url", url, "--case", "C01", "--report", "json"], folder),
      aieffect(["test", "http://127.0.0.1:1", "--json"], folder),
      aieffect(["test", "--case", "Z99", "--url", url], folder),
      aieffect(["test", "--nonsense", "--json"], folder),
      aieffect(["test", "explain", "C06"], folder),
    ]);
    expect([failing.code, JSON.parse(failing.out)]).toMatchObject([8, { counts: { fail: 1 } }]);
    expect([absent.code, JSON.parse(absent.out)]).toMatchObject([
      9,
      { ok: false, error: { code: "AE9001", message: expect.stringContaining("nothing listens on port 1") } },
    ]);
    expect([wrong.code, wrong.out]).toEqual([2, ""]);
    expect([wrongJson.code, JSON.parse(wrongJson.out)]).toMatchObject([2, { error: { code: "AE2001" } }]);
    expect([explained.code, explained.out]).toEqual([0, expect.stringContaining("C06")]);
  });
});
