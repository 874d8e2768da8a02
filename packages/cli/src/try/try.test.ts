import { readdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { startS3, tempFolder } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { aieffect, startAieffect } from "../testing/aieffect.ts";
import { startDeployed } from "../testing/start-deployed.ts";
import { startDeployedMeter, startMeter } from "../testing/start-meter.ts";
import { startService } from "../testing/start-service.ts";

const rows = "time,value\n00:00,1\n00:15,2\n";
const inline = (value: unknown) => ({
  protocol: "inline",
  uri: Buffer.from(JSON.stringify(value)).toString("base64"),
  format: "json",
});

describe("aieffect try", () => {
  it.each([
    ["small, inside the request", 0, "inline"],
    ["large, served from here", 100_000, "http"],
  ])("sends a file that is %s, and parameters as the operation takes them", async (_name, more, protocol) => {
    const folder = await tempFolder();
    await writeFile(join(folder, "load.txt"), rows + "00:30,12345\n".repeat(more));
    const { url } = await startService();
    const inputs = ["-i", "header=false", "-i", "data=@load.txt;format=csv", "-i", "label=5"];
    const { code, out, err } = await aieffect(["try", "CountRows", ...inputs, "--url", url], folder);
    expect([code, JSON.parse(out)]).toEqual([
      0,
      { rows: 3 + more, label: "5", protocol, filename: "load.txt" },
    ]);
    expect(err).toMatch(/^CountRows complete in [\d.]+ s: inline json, \d+ bytes\n$/);
  });

  it("follows a task, tells its progress, and fetches its data into a file", async () => {
    const folder = await tempFolder();
    const { url } = await startService({ api_key: "s3cret-canary" });
    const args = ["try", "Wait", "-i", "seconds=0.5", "-o", "out.csv", "--url", url];
    const refused = await aieffect(args, folder);
    expect([refused.code, refused.out]).toEqual([9, ""]);
    expect(refused.err).toMatch(/^error AE9003 service-refused .* answered 401[\s\S]*--token env:/);
    expect(await readdir(folder)).toEqual([]);
    const { code, out, err } = await aieffect([...args, "--token", "env:KEY"], folder, {
      KEY: "s3cret-canary",
    });
    expect([code, out]).toEqual([0, ""]);
    expect(err).toContain("Wait running 50%: waiting\n");
    expect(err).toMatch(/Wait complete in [\d.]+ s: http csv, 20 bytes http:/);
    expect(await readFile(join(folder, "out.csv"), "utf8")).toBe("second,state\n1,done\n");
    expect(out + err + refused.err).not.toContain("canary");
  });

  it("tells programs everything in one object", async () => {
    const { url } = await startService();
    const { code, out, err } = await aieffect(["try", "Drop", "--url", url, "--json"], await tempFolder());
    expect([code, err]).toEqual([0, ""]);
    expect(JSON.parse(out)).toMatchObject({
      operation: "Drop",
      url,
      status: "complete",
      output: null,
      file: null,
    });
  });

  it("cancels on Ctrl-C where the service can, and says so", async () => {
    const { url } = await startService();
    const command = startAieffect(["try", "Wait", "-i", "seconds=60", "--url", url], await tempFolder());
    await expect.poll(command.printed, { timeout: 20_000 }).toContain("waiting");
    command.child.kill("SIGINT");
    const { code, err } = await command.ended;
    expect(code).toBe(130);
    expect(err).toMatch(
      /error AE9130 cancelled {2}Interrupted\n {2}the service stopped the task \S+: Cancelled\n$/,
    );
  });

  it("works with a service that tells nothing of itself, and cannot cancel", async () => {
    const { url, asked } = await startDeployed({
      "POST /control/execute": [200, { status: "running", task_id: "t-1" }],
      "GET /control/status/t-1": [200, { status: "running", progress: 1, error: null }],
    });
    const command = startAieffect(["try", "Load", "-i", "days=3", "--url", url], await tempFolder());
    await expect.poll(command.printed, { timeout: 20_000 }).toContain("Load running 1%");
    const sent = asked.find(({ path }) => path === "POST /control/execute")?.body;
    expect(sent).toMatchObject({ method: "Load", inputs: [inline({ days: 3 })] });
    command.child.kill("SIGINT");
    const { code, err } = await command.ended;
    expect([code, err]).toEqual([
      130,
      expect.stringContaining("the service cannot cancel; the task t-1 goes on there"),
    ]);
  });

  it("says what to do about what goes wrong", async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, "x.json"), "{}");
    const { url } = await startService();
    const cases: [string[], number, RegExp][] = [
      [["CountRows"], 8, /^error AE8201 task-failed {2}Expected a CSV as input, found none\n/],
      [["CountRow"], 2, /^error AE2003 unknown-operation .*\n.*\n {2}try: {2}aieffect try CountRows\n/],
      [["CountRows", "-o", "no/x.csv"], 2, /^error AE2001 usage {2}Expected -o to be a file in a folder th/],
      [["CountRows", "-o", "."], 2, /^error AE2001 usage {2}Expected -o to be a file, found the folder \./],
      [["CountRows", "-i", "x=@x.json"], 8, /^warning: CountRows takes csv, found json; x\.json;format=csv /],
      [
        ["CountRows", "-i", "x=x.json"],
        8,
        /\nwarning: x\.json is a file; to send it: -i x=@x\.json\nerror AE8201/,
      ],
      [["CountRows", "-i", "data=@no.csv"], 2, /^error AE2002 input-unreadable /],
      [
        ["CountRows", "-i", "x=@no.dat"],
        2,
        /^error AE2004 unknown-format .*\n {2}try: {2}@no\.dat;format=csv/,
      ],
      [
        ["CountRows", "-i", "data"],
        2,
        /^error AE2001 usage {2}Expected -i to be name=value or name=@file, f/,
      ],
      [
        ["Wait", "--url", "https://localhost"],
        2,
        /^error AE2001 usage {2}Expected --url to be http:\/\/host/,
      ],
      [["Wait", "--url", "http://127.0.0.1:1"], 9, /^error AE9001 service-unreachable .*nothing listens/],
      [
        ["Drop", "-o", "x"],
        8,
        /^Drop complete[^\n]*no output\nerror AE8203 output-unreadable .*\n.*not written/,
      ],
      [["Wait", "-i", "seconds=9", "--timeout", "0.2"], 8, /error AE8204 task-too-long /],
      [["Wait", "-i", "second=0"], 0, /^warning: Wait has no parameter "second", did you mean "seconds"\?/],
    ];
    const found = await Promise.all(cases.map(([args]) => aieffect(["try", "--url", url, ...args], folder)));
    for (const [index, [args, code, text]] of cases.entries()) {
      expect({ args, ...found[index] }).toMatchObject({ args, code, err: expect.stringMatching(text) });
    }
    expect(await readdir(folder)).toEqual(["x.json"]);
  });

  it("tells an answer that breaks the contract from a task that failed, also to programs", async () => {
    const { url } = await startDeployed({ "POST /control/execute": [200, { status: "running" }] });
    const { code, out, err } = await aieffect(["try", "Load", "--url", url, "--json"], await tempFolder());
    expect([code, err]).toEqual([8, ""]);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      error: { code: "AE8202", name: "reply-invalid", message: expect.stringContaining("R-EXEC-09") },
      exit_code: 8,
    });
  });

  it("tells what is no service: other HTTP servers, and other protocols", async () => {
    const { url } = await startDeployed({});
    const banner = createServer((socket) => void socket.on("error", () => {}).end("220 mail ready\r\n"));
    await new Promise<void>((resolve) => banner.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void banner.close());
    const other = `http://127.0.0.1:${(banner.address() as AddressInfo).port}`;
    const folder = await tempFolder();
    for (const found of await Promise.all(
      [url, other].map((one) => aieffect(["try", "Load", "--url", one], folder)),
    )) {
      expect([found.code, found.err]).toEqual([9, expect.stringContaining("error AE9002 wrong-protocol ")]);
    }
  });

  it("takes no data whose checksum is another one", async () => {
    const output = { ...inline({ a: 1 }), checksum: `sha256:${"0".repeat(64)}` };
    const { url } = await startDeployed({ "POST /control/execute": [200, { status: "complete", output }] });
    const folder = await tempFolder();
    const { code, err } = await aieffect(["try", "Load", "--url", url, "-o", "x.json"], folder);
    expect([code, err]).toEqual([8, expect.stringMatching(/error AE8203 output-unreadable .*checksum/)]);
    expect(await readdir(folder)).toEqual([]);
  });
});

it("fetches an object from a bucket with the keys that services have, and says which without them", async () => {
  const { endpoint, access_key_id, secret_access_key } = await startS3();
  const s3 = { endpoint, access_key_id, secret_access_key, bucket: "results" };
  const { url } = await startService({ s3, publish_as: "s3" });
  const folder = await tempFolder();
  const args = ["try", "Wait", "--url", url];
  const none = { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" };
  const keys = {
    AWS_ACCESS_KEY_ID: access_key_id,
    AWS_SECRET_ACCESS_KEY: secret_access_key,
    AWS_ENDPOINT_URL_S3: endpoint,
  };
  const [shown, saved, without, wanted] = await Promise.all([
    aieffect(args, folder, keys),
    aieffect([...args, "-o", "x.csv"], folder, keys),
    aieffect(args, folder, none),
    aieffect([...args, "-o", "y.csv"], folder, none),
  ]);
  expect([shown.code, shown.out]).toEqual([0, "second,state\n1,done\n"]);
  expect([saved.code, await readFile(join(folder, "x.csv"), "utf8")]).toEqual([0, shown.out]);
  expect([without.code, without.out, without.err]).toEqual([
    0,
    "",
    expect.stringMatching(/complete in .*: s3 csv[\s\S]*not shown: .*\n {2}try: {2}AWS_ACCESS_KEY_ID, /),
  ]);
  expect([wanted.code, wanted.err]).toEqual([8, expect.stringContaining("AE8203 output-unreadable")]);
  expect(await readdir(folder)).toEqual(["x.csv"]);
});

describe("a message over gRPC", () => {
  const reading = { watt_hours: String(2 ** 40), quality: "GOOD", raw: "YWJj", tags: [] };

  it("is shown as JSON as the service describes it, and saved as JSON or as it travels", async () => {
    // The machine's own name, under which references have it unless told otherwise, need not lead here.
    const { url, type } = await startMeter({ key: "s3cret-canary", host: hostname() });
    const folder = await tempFolder();
    const attempt = (...args: string[]) =>
      aieffect(["try", ...args, "--token", "env:KEY"], folder, { KEY: "s3cret-canary" });
    const local = url.replace("127.0.0.1", "localhost");
    const [shown, ...saved] = await Promise.all([
      attempt("Read", "--url", url),
      attempt("Read", "--url", local, "-o", "x.json"),
      attempt("Read", "--url", url, "-o", "x.pb", "--json"),
      attempt("Follow", "--url", url, "-o", "x.jsonl"),
    ]);
    expect([shown.code, JSON.parse(shown.out)]).toEqual([0, reading]);
    expect(shown.err).toMatch(/^Read complete in [\d.]+ s: grpc Read \S+:\d+\n$/);
    expect(saved.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(JSON.parse(await readFile(join(folder, "x.json"), "utf8"))).toEqual(reading);
    expect(type.responseDeserialize(await readFile(join(folder, "x.pb")))).toMatchObject({ quality: 1 });
    const lines = (await readFile(join(folder, "x.jsonl"), "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).watt_hours)).toEqual(["1", "2"]);
    expect(JSON.stringify([shown, saved])).not.toContain("canary");
  });

  it("of a service without reflection is read with its .proto, and else pointed at", async () => {
    const { file, address } = await startDeployedMeter();
    const unknown = { protocol: "grpc", uri: "meter:50051", format: "Read" };
    const { url } = await startDeployed({
      "POST /control/execute": [200, { status: "complete", output: unknown }],
    });
    const folder = await tempFolder();
    const attempt = (...args: string[]) => aieffect(["try", "Read", "--url", url, ...args], folder);
    const map = ["--origin-map", `grpc://meter:50051=grpc://${address}`];
    const [away, missing, wrong, shown, saved, told] = await Promise.all([
      attempt("-o", "a.json", "--origin-map", "grpc://meter:50051=grpc://127.0.0.1:1"),
      attempt("--proto", "no.proto"),
      attempt("--origin-map", "grpc:meter=x"),
      attempt(...map),
      attempt(...map, "-o", "b.json"),
      attempt(...map, "--proto", file),
    ]);
    expect(away).toMatchObject({
      code: 8,
      err: expect.stringMatching(
        /error AE8203 output-unreadable .*UNAVAILABLE.*\n.*complete.*\n.*origin-map grpc:/,
      ),
    });
    expect(missing).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^error AE2002 .*\n {2}nothing was exec/),
    });
    expect(wrong).toMatchObject({
      code: 2,
      err: expect.stringContaining("Expected --origin-map to be http:"),
    });
    expect(shown).toMatchObject({ code: 0, out: "", err: expect.stringContaining("--proto FILE") });
    expect(saved).toMatchObject({
      code: 8,
      err: expect.stringMatching(/AE8203 .*reflection[\s\S]*--proto FILE/),
    });
    expect([told.code, JSON.parse(told.out)]).toEqual([0, expect.objectContaining({ watt_hours: "7" })]);
    expect(await readdir(folder)).toEqual([]);
  });
});
