import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Running, tempFolder, until } from "@aieffect/test-support";
import { describe, expect, it } from "vitest";
import { startDemo, startShellLine, startSubmission } from "../test/demo-process.ts";

const use_case = fileURLToPath(new URL("..", import.meta.url));
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

/** Files that are being written. */
async function partsIn(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".part"));
}

/** A demo whose generation is so far that it has begun to write its file. */
async function startWriting(data_dir: string, execution_style: string): Promise<Running> {
  const args = ["--records", "20000000", "--data-dir", data_dir];
  const demo = startDemo(args, { EXECUTION_STYLE: execution_style });
  const begun = async () => {
    const [part] = existsSync(data_dir) ? await partsIn(data_dir) : [];
    if (!/running +data_generator1/.test(demo.stdout())) return false;
    return part !== undefined && (await stat(join(data_dir, part))).size > 0;
  };
  await until("a file to be written", begun, 20_000);
  return demo;
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
    [
      ["--data-dir", "demo/main.ts"],
      `Expected --data-dir to be a folder, found a file at ${join(use_case, "demo/main.ts")}`,
    ],
    [
      ["--data-dir", "demo/main.ts/data"],
      `Expected --data-dir to be a folder, found a file at ${join(use_case, "demo/main.ts")}`,
    ],
  ])("answers %j with how to use it", async (args, message) => {
    const demo = startDemo(args, { INIT_CWD: use_case });
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
    const renamed = startSubmission(["--input", summary.report], found);
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
    expect(broken.stderr()).toMatch(
      /^\nFailed in data_generator1:GenerateData: .*Row 2, column "voltage": expected a number, found "x" .*\n$/,
    );
    expect(broken.stdout()).toMatch(/[^\n]\n$/);
    expect(await renamed.ended).toBe(1);
    expect(renamed.stderr()).toContain('expected the column "timestamp"');
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

  it.each([
    ["concurrent", "the terminal"],
    ["sequential", "the terminal"],
    ["concurrent", "kill"],
  ])("cleans up when it is interrupted in the middle of a %s workflow by %s", async (style, by) => {
    const data_dir = await tempFolder();
    const demo = await startWriting(data_dir, style);
    const { services } = JSON.parse(await readFile(join(data_dir, "local-run.json"), "utf8"));
    const pid = demo.child.pid ?? 0;
    // Ctrl-C reaches every process of the terminal's job: the services too.
    process.kill(by === "kill" ? pid : -pid, "SIGINT");
    expect(await demo.ended).toBe(130);
    for (const url of Object.values<string>(services)) expect(await answers(url)).toBe(false);
    expect(existsSync(join(data_dir, "local-run.json"))).toBe(false);
    expect(await partsIn(data_dir)).toEqual([]);
    const [folder = ""] = (await readdir(data_dir)).filter((name) => name.startsWith("wf-"));
    expect(demo.stderr()).toBe(
      `\nInterrupted. Everything is stopped; what was written so far is in ${join(data_dir, folder)}\n`,
    );
    expect(demo.stdout()).toMatch(/\n {2}stopped +data_generator1:GenerateData .*\n$/);
    expect(demo.stdout()).not.toContain("FAILED");
  });

  it("leaves no half-written file behind when it is killed in the middle of a workflow", async () => {
    const data_dir = await tempFolder();
    const demo = await startWriting(data_dir, "concurrent");
    const { services } = JSON.parse(await readFile(join(data_dir, "local-run.json"), "utf8"));
    demo.child.kill("SIGKILL");
    for (const [name, url] of Object.entries<string>(services))
      await until(`${name} to end`, async () => !(await answers(url)));
    await until("the half-written file to go", async () => (await partsIn(data_dir)).length === 0);
  });

  it("leaves the files of another one alone that is kept running in the same folder", async () => {
    const folder = await tempFolder();
    const data_dir = join(folder, "da'ta");
    const keep = ["--keep", "--records", "3", "--data-dir", "da'ta"];
    const printed = (demo: Running) => / {2}Running until Ctrl-C.*\n {2}(.*)\n/.exec(demo.stdout())?.[1];
    const first = startDemo(keep, { INIT_CWD: folder });
    const line = await until("the line to submit with", () => printed(first), 20_000);
    expect(line).toContain("STATE_FILE=");
    const files = ["local-run.json", "dockerinfo.json", "logs/data_analyzer1.log"].map((name) =>
      join(data_dir, name),
    );
    const before = files.map((file) => readFileSync(file, "utf8"));

    const second = startDemo(keep, { INIT_CWD: folder });
    const other_line = await until("the other line", () => printed(second), 20_000);
    expect((await readdir(data_dir)).filter((name) => !name.startsWith("wf-")).sort()).toEqual([
      `dockerinfo-${second.child.pid}.json`,
      "dockerinfo.json",
      "local-run.json",
      "logs",
      `logs-${second.child.pid}`,
    ]);
    // As printed, from wherever the other terminal is.
    for (const submit of [`${line} --records 4`, `${other_line} --records 4`]) {
      const submission = startShellLine(submit);
      expect({ code: await submission.ended, errors: submission.stderr() }).toEqual({ code: 0, errors: "" });
      expect(submission.stdout()).toContain(`HTML report: ${data_dir}`);
    }
    second.child.kill("SIGINT");
    expect(await second.ended).toBe(130);
    expect(second.stderr()).toBe(
      `\nInterrupted. Everything is stopped; what was written so far is in ${data_dir}\n`,
    );
    expect(existsSync(join(data_dir, `dockerinfo-${second.child.pid}.json`))).toBe(false);
    const after = files.map((file) => readFileSync(file, "utf8"));
    expect(after.map((text, index) => text.startsWith(before[index] ?? ""))).toEqual([true, true, true]);

    // Killed, it leaves its state file; the next one takes it over.
    first.child.kill("SIGKILL");
    await first.ended;
    const third = startDemo(keep, { INIT_CWD: folder });
    await until("the third one", () => printed(third), 20_000);
    expect(JSON.parse(readFileSync(join(data_dir, "local-run.json"), "utf8")).pid).toBe(third.child.pid);
  });
});

describe.skipIf(process.platform === "win32")("submit-workflow.sh", () => {
  it.each([
    [["--nope"], "Expected --file, --uri or --records, found --nope\n"],
    [["--nope", "1"], "Expected --file, --uri or --records, found --nope\n"],
    [["--file"], "Expected a value after --file, found none\n"],
    [["--file", "a.csv", "b.csv"], "Expected one option with its value, found also b.csv\n"],
    [["--input", "/nowhere.csv"], "Expected a CSV file, found nothing at /nowhere.csv\n"],
  ])("answers %j with what is wrong", async (args, message) => {
    const submission = startSubmission(args);
    expect(await submission.ended).toBe(2);
    expect(submission.stderr().startsWith(message)).toBe(true);
    expect(submission.stdout()).toBe("");
  });
});
