import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempFolder, until } from "@aieffect/test-support";
import { describe, expect, it } from "vitest";
import { type Running, startDemo, startSubmission } from "../test/demo-process.ts";

const header = "timestamp,household_id,power_consumption,voltage,current";

interface Summary {
  orchestrator: string;
  services: Record<string, string>;
  blueprint: string;
  dockerinfo: string;
  workflow_id: string;
  report: string;
  html_report: string;
}

function lastLine(running: Running): Summary {
  return JSON.parse(running.stdout().trimEnd().split("\n").at(-1) ?? "");
}

async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}

describe("the demo", () => {
  it("runs the sample, shows the report, and leaves nothing running", async () => {
    const data_dir = await tempFolder();
    const demo = startDemo(["--data-dir", data_dir]);
    expect({ code: await demo.ended, errors: demo.stderr() }).toEqual({ code: 0, errors: "" });
    const out = demo.stdout();
    for (const node of ["input_provider1:GetConfiguration", "data_generator1:GenerateData"]) {
      expect(out).toMatch(new RegExp(`done +${node}`));
    }
    expect(out).toMatch(/Total Records +720\n/);
    expect(out).toMatch(/Anomalies Detected +37\n/);
    expect(out).toMatch(/report_generator1 +[\d.]+ MB/);
    const html = /HTML report {2}(.*)/.exec(out)?.[1] ?? "";
    expect(html.startsWith(data_dir)).toBe(true);
    expect(await readFile(html, "utf8")).toContain("<svg");
    expect(existsSync(join(data_dir, "local-run.json"))).toBe(false);
    const { docker_info_list } = JSON.parse(await readFile(join(data_dir, "dockerinfo.json"), "utf8"));
    for (const { ip_address, port } of docker_info_list) {
      expect(await answers(`http://${ip_address}:${port}`)).toBe(false);
    }
  });

  it("names row and column of a fault in a CSV given relative to where npm was called", async () => {
    const folder = await tempFolder();
    const rows = Array.from(
      { length: 40 },
      (_, index) => `t${index},HH-001,460,${index === 15 ? "abc" : "230"},2.5`,
    );
    await writeFile(join(folder, "meter.csv"), [header, ...rows].join("\n"));
    const demo = startDemo(["--input", "meter.csv", "--data-dir", "out"], { INIT_CWD: folder });
    expect(await demo.ended).toBe(1);
    expect(demo.stderr()).toContain("The workflow failed\n  in data_generator1:GenerateData\n");
    expect(demo.stderr()).toContain('Row 17, column "voltage": expected a number, found "abc"');
    expect(demo.stderr()).toContain(join(folder, "out", "logs"));
  });

  it("analyses a CSV where it lies, without copying it", async () => {
    const folder = await tempFolder();
    const uri = join(folder, "meter.csv");
    await writeFile(uri, `${header}\nt1,HH-001,460,230,2.5\n`);
    const demo = startDemo(["--input", uri, "--data-dir", join(folder, "out"), "--json"], {
      SERVICE_API_KEY: "s3cret",
    });
    expect({ code: await demo.ended, errors: demo.stderr().includes("failed") }).toEqual({
      code: 0,
      errors: false,
    });
    expect(await readFile(lastLine(demo).report, "utf8")).toContain("Total Records,1\n");
  });

  it("generates as many readings as asked for, and reports progress when services are concurrent", async () => {
    const data_dir = await tempFolder();
    const demo = startDemo(["--records", "150000", "--data-dir", data_dir, "--json"], {
      EXECUTION_STYLE: "concurrent",
    });
    expect(await demo.ended).toBe(0);
    expect(demo.stdout().trimEnd().split("\n")).toHaveLength(1);
    expect(demo.stderr()).toMatch(/running +\w+:\w+ +[\d.]+ s +\d+ %/);
    expect(await readFile(lastLine(demo).report, "utf8")).toContain("Total Records,150000\n");
  });

  it.each([
    [["--nope"], "Unknown option '--nope'"],
    [["--records", "0"], 'Expected --records to be an integer from 1 to 50000000, found "0"'],
    [["--records", "5", "--input", "x"], "Expected --input or --records, found both; choose one"],
    [["--input", "/nowhere.csv"], "Expected --input to be a CSV file, found nothing at /nowhere.csv"],
  ])("answers %j with how to use it", async (args, message) => {
    const demo = startDemo(args);
    expect(await demo.ended).toBe(2);
    expect(demo.stderr()).toContain(message);
    expect(demo.stdout()).toBe("");
  });

  it("shows its help", async () => {
    const demo = startDemo(["--", "--help"]);
    expect(await demo.ended).toBe(0);
    expect(demo.stdout()).toContain("--input FILE");
  });

  it("says why a service does not start", async () => {
    const demo = startDemo(["--data-dir", await tempFolder()], { EXECUTION_STYLE: "later" });
    expect(await demo.ended).toBe(1);
    expect(demo.stderr()).toContain("did not start: it ended with exit code 1. The end of its log (");
    expect(demo.stderr()).toContain(
      'Expected EXECUTION_STYLE to be "sequential" or "concurrent", found "later"',
    );
  });
});

describe.skipIf(process.platform === "win32")("a demo that is kept running", () => {
  it("takes workflows from the script until Ctrl-C, then cleans up", async () => {
    const folder = await tempFolder();
    const data_dir = join(folder, "data");
    await mkdir(data_dir);
    const key = "k3y-of-the-services";
    const demo = startDemo(["--keep", "--json", "--records", "5", "--data-dir", data_dir], {
      SERVICE_API_KEY: key,
    });
    await until("the line of JSON", () => demo.stdout().endsWith("}\n"), 20_000);
    const summary = lastLine(demo);
    expect(Object.keys(summary.services).sort()).toEqual([
      "data_analyzer1",
      "data_generator1",
      "input_provider1",
      "report_generator1",
    ]);
    for (const file of [summary.blueprint, summary.dockerinfo, summary.report, summary.html_report]) {
      expect(existsSync(file)).toBe(true);
    }
    expect(JSON.parse(readFileSync(summary.blueprint, "utf8")).nodes).toHaveLength(4);

    const found = { STATE_FILE: join(data_dir, "local-run.json"), SERVICE_API_KEY: key };
    const sample = startSubmission([], found);
    const generated = startSubmission(["--records", "7"], found);
    const named = startSubmission(["--records", "8"], {
      ORCHESTRATOR_URL: summary.orchestrator,
      DOCKERINFO: summary.dockerinfo,
      SERVICE_API_KEY: key,
    });
    await writeFile(join(data_dir, 'odd "name.csv'), `${header}\nt1,HH-001,460,x,2.5\n`);
    const broken = startSubmission(["--uri", join(data_dir, 'odd "name.csv')], found);
    const keyless = startSubmission(["--records", "7"], { STATE_FILE: found.STATE_FILE });
    for (const [submission, records] of [
      [sample, 720],
      [generated, 7],
      [named, 8],
    ] as const) {
      expect({ code: await submission.ended, errors: submission.stderr() }).toEqual({ code: 0, errors: "" });
      expect(submission.stdout()).toMatch(/completed +report_generator1:GenerateReport/);
      const report = /(\S+energy_report\.csv)/.exec(submission.stdout())?.[1] ?? "";
      expect(await readFile(report, "utf8")).toContain(`Total Records,${records}\n`);
      expect(submission.stdout()).toContain("HTML report: ");
    }
    expect(await broken.ended).toBe(1);
    expect(broken.stderr()).toContain('Row 2, column "voltage": expected a number, found "x"');
    expect(await keyless.ended).toBe(1);
    expect(keyless.stderr()).toContain("401");

    demo.child.kill("SIGINT");
    expect(await demo.ended).toBe(130);
    for (const url of [summary.orchestrator, ...Object.values(summary.services)]) {
      expect(await answers(url)).toBe(false);
    }
    expect(existsSync(found.STATE_FILE)).toBe(false);
    const after = startSubmission([], { ...found, ORCHESTRATOR_URL: summary.orchestrator });
    expect(await after.ended).toBe(5);
    expect(after.stderr()).toContain(`No orchestrator at ${summary.orchestrator}. Start one:`);
  });

  it("leaves no service behind when it is killed and cannot clean up", async () => {
    const data_dir = await tempFolder();
    const demo = startDemo(["--keep", "--json", "--data-dir", data_dir]);
    await until("the line of JSON", () => demo.stdout().endsWith("}\n"), 20_000);
    const { services } = lastLine(demo);
    demo.child.kill("SIGKILL");
    for (const [name, url] of Object.entries(services))
      await until(`${name} to end`, async () => !(await answers(url)));
    for (const name of Object.keys(services)) {
      const log = () => readFile(join(data_dir, "logs", `${name}.log`), "utf8");
      await until(`${name} to stop in an orderly way`, async () =>
        (await log()).includes('"msg":"stopping"'),
      );
    }
  });

  it("cleans up when it is interrupted in the middle of a workflow", async () => {
    const data_dir = await tempFolder();
    const demo = startDemo(["--records", "3000000", "--data-dir", data_dir]);
    await until("the generation to run", () => /running +data_generator1/.test(demo.stdout()), 20_000);
    const { services } = JSON.parse(await readFile(join(data_dir, "local-run.json"), "utf8"));
    demo.child.kill("SIGINT");
    expect(await demo.ended).toBe(130);
    for (const url of Object.values<string>(services)) expect(await answers(url)).toBe(false);
    expect(existsSync(join(data_dir, "local-run.json"))).toBe(false);
  });
});
