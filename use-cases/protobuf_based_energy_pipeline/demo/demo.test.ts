import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProgram, tempFolder, until } from "@aieffect/test-support";
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { toText } from "../services/report_generator/src/to-text.ts";
import { startDemo, startSubmission } from "../test/demo-process.ts";
import { createDeployedClient } from "../test/deployed.ts";
import { expectedReport, planOf } from "../test/expected-report.ts";

const entry = fileURLToPath(new URL("../../../scripts/demo.mjs", import.meta.url));

/** As `npm run demo -- ...` does, once everything is built. */
const startNamed = (args: readonly string[]) => startProgram(process.execPath, [entry, ...args]);

describe("the demo", () => {
  it("runs, shows the report that was fetched over gRPC, and leaves nothing running", async () => {
    const data_dir = await tempFolder();
    const demo = startNamed([
      "--pipeline",
      "protobuf",
      "--seed",
      "7",
      "--records",
      "25",
      "--data-dir",
      data_dir,
    ]);
    expect({ code: await demo.ended, errors: demo.stderr() }).toEqual({ code: 0, errors: "" });
    const out = demo.stdout();
    for (const node of ["input_provider1:GetConfiguration", "report_generator1:GenerateReport"]) {
      expect(out).toMatch(new RegExp(`done +${node}`));
    }
    const report = await expectedReport(planOf(25, 7));
    for (const line of [
      ...report.sections.flatMap(({ title, content }) => [title, ...content]),
      report.summary,
    ]) {
      expect(out).toContain(`\n  ${line}\n`);
    }
    expect(out).toMatch(/report_generator1 +[\d.]+ MB/);
    const file = /\n {2}Report {2}(.*)/.exec(out)?.[1] ?? "";
    expect(file.startsWith(data_dir)).toBe(true);
    expect(await readFile(file, "utf8")).toBe(toText(report));
    expect(existsSync(join(data_dir, "local-run.json"))).toBe(false);
    const { docker_info_list } = JSON.parse(await readFile(join(data_dir, "dockerinfo.json"), "utf8"));
    for (const { ip_address, port } of docker_info_list) {
      await expect(fetch(`http://${ip_address}:${port}/health`)).rejects.toThrow("fetch failed");
    }
  });

  it.each([
    [["--pipeline=nope"], "Expected --pipeline to be file or protobuf, found nope"],
    [["--pipeline"], "Expected --pipeline to be file or protobuf, found nothing"],
    [["--pipeline=protobuf", "--input", "x"], "Unknown option '--input'"],
    [
      ["--pipeline", "protobuf", "--seed", "x"],
      'Expected --seed to be an integer from 1 to 4294967295, found "x"',
    ],
    [
      ["--records", "0", "--pipeline", "protobuf"],
      'Expected --records to be an integer from 1 to 50000000, found "0"',
    ],
  ])("answers %j with how to use it", async (args, message) => {
    const demo = startNamed(args);
    expect(await demo.ended).toBe(2);
    expect(demo.stderr()).toContain(message);
    expect(demo.stdout()).toBe("");
  });

  it.each([
    [["--pipeline", "protobuf", "--help"], "--seed N"],
    [["--help"], "--pipeline NAME"],
  ])("shows the help of %j", async (args, line) => {
    const demo = startNamed(args);
    expect(await demo.ended).toBe(0);
    expect(demo.stdout()).toContain(line);
  });
});

describe.skipIf(process.platform === "win32")("a demo that is kept running", () => {
  it("takes workflows from the script until Ctrl-C, with a key that gRPC asks for as well", async () => {
    const data_dir = await tempFolder();
    const key = "k3y-of-the-services";
    const demo = startDemo(["--keep", "--json", "--data-dir", data_dir], {
      SERVICE_API_KEY: key,
      GRPC_REQUIRE_KEY: "1",
    });
    await until("the line of JSON", () => demo.stdout().endsWith("}\n"), 20_000);
    const { summary, services } = JSON.parse(demo.stdout());
    expect(summary).toBe((await expectedReport(planOf(50, 2025))).summary);

    const found = { STATE_FILE: join(data_dir, "local-run.json"), SERVICE_API_KEY: key };
    const submission = startSubmission(["--records", "30", "--seed", "5"], found);
    const keyless = startSubmission([], { STATE_FILE: found.STATE_FILE });
    expect({ code: await submission.ended, errors: submission.stderr() }).toEqual({ code: 0, errors: "" });
    expect(submission.stdout()).toMatch(/completed +report_generator1:GenerateReport/);
    const address = /\n {2}(127\.0\.0\.1:\d+) GenerateReport\n/.exec(submission.stdout())?.[1] ?? "";
    const client = await createDeployedClient("report_generator.ReportGeneratorService", address);
    await expect(client.ask("GenerateReport")).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    const report = /\nReport: (.*)/.exec(submission.stdout())?.[1] ?? "";
    expect(await readFile(report, "utf8")).toBe(toText(await expectedReport(planOf(30, 5))));
    expect(await keyless.ended).toBe(1);
    expect(keyless.stderr()).toContain("401");

    demo.child.kill("SIGINT");
    expect(await demo.ended).toBe(130);
    for (const url of Object.values<string>(services))
      await expect(fetch(url)).rejects.toThrow("fetch failed");
  });
});

describe.skipIf(process.platform === "win32")("submit-workflow.sh", () => {
  it.each([
    [["--input", "a.csv"], "Expected --records or --seed, found --input\n"],
    [["--records"], "Expected a value after --records, found none\n"],
    [["--records", "5", "--seed", "x"], 'Expected --seed to be a number, found "x"\n'],
  ])("answers %j with what is wrong", async (args, message) => {
    const submission = startSubmission(args);
    expect(await submission.ended).toBe(2);
    expect(submission.stderr().startsWith(message)).toBe(true);
    expect(submission.stdout()).toBe("");
  });
});
