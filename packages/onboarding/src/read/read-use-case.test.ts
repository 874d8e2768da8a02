import { spawnSync } from "node:child_process";
import { cp, mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toLine } from "../problems/problem.ts";
import { connect, row, writeFiles, writeUseCase } from "../testing/write-use-case.ts";
import { readUseCase } from "./read-use-case.ts";

/** Problems as a person reads them. */
const linesOf = async (folder: string) => (await readUseCase(folder)).problems.map(toLine);

describe("a use case", () => {
  it("is read with its services by name, its connections by folder, and lines", async () => {
    const folder = await writeUseCase({
      ...row,
      pipeline: { description: "From wind to page", start_service: "loader", creation_date: "2026-02-25" },
      files: {
        "services/trainer/Dockerfile": "FROM scratch\n",
        "services/.cache/x": "",
        "services/README.md": "",
      },
    });
    const { use_case, problems } = await readUseCase(folder);
    expect(problems).toEqual([]);
    expect(use_case).toMatchObject({
      name: "wind_park",
      folder,
      pipeline: {
        name: "Wind park",
        description: "From wind to page",
        start_service: "loader",
        creation_date: "2026-02-25",
      },
      services: [
        { folder: "loader", ip_address: "loader", port: 8080, dockerfile: undefined },
        { folder: "reporter", proto_file: "services/reporter/proto/reporter.proto" },
        { folder: "trainer", dockerfile: "services/trainer/Dockerfile" },
      ],
      connections: [
        { from_service: "loader", from_method: "Load", to_service: "trainer", to_method: "Train", line: 19 },
        {
          from_service: "trainer",
          from_method: "Train",
          to_service: "reporter",
          to_method: "Report",
          line: 25,
        },
      ],
    });
  });

  it("may be of the oldest form: no mapping, folder names, methods left out where there is one", async () => {
    const folder = await writeUseCase({
      ...row,
      pipeline: { service_mapping: undefined },
      connections: connect("loader -> trainer", "trainer -> reporter"),
    });
    const { use_case, problems } = await readUseCase(folder);
    expect(problems).toEqual([]);
    expect(use_case?.services[0]).toMatchObject({ ip_address: "loader", port: 8080 });
    expect(use_case?.connections[0]).toMatchObject({ from_method: "Load", to_method: "Train" });
  });

  it("may name a service by its address, unless two have it", async () => {
    const mapping = (trainer: string) => ({
      loader: { ip_address: "data-loader", port: 8080 },
      trainer: { ip_address: trainer, port: 8080 },
      reporter: { ip_address: "shared", port: 8080 },
    });
    const connections = connect("data-loader.Load -> trainer.Train", "trainer.Train -> shared.Report");
    const alone = await writeUseCase({
      ...row,
      connections,
      pipeline: { service_mapping: mapping("alone") },
    });
    expect((await readUseCase(alone)).use_case?.connections.map(({ to_service }) => to_service)).toEqual([
      "trainer",
      "reporter",
    ]);
    const folder = await writeUseCase({
      ...row,
      connections,
      pipeline: { service_mapping: mapping("shared") },
    });
    expect(await linesOf(folder)).toEqual([
      'connections.json:27: error [ambiguous-service] Expected a name that means one service, found "shared", the address of reporter, trainer. Name the folder instead of the address',
    ]);
  });

  it("has every fault told at once, with its line and what to do", async () => {
    const folder = await writeUseCase({
      protos: { ...row.protos, "bad name": row.protos.loader, unmapped: row.protos.loader },
      connections: connect(
        "loader.Lod -> trainer.Train",
        "trainer.Train -> reportr.Report",
        "trainer -> two.X",
      ),
      pipeline: {
        start_service: "nobody",
        service_mapping: {
          loader: { ip_address: "loader", port: 8080 },
          trainer: { ip_address: "trainer", port: 8080 },
          reporter: { ip_address: "reporter", port: 8080 },
          gone: { ip_address: "gone", port: 8080 },
          two: { ip_address: "two", port: 8080 },
          broken: { ip_address: "broken", port: 8080 },
        },
      },
      files: {
        "services/two/proto/a.proto": row.protos.loader,
        "services/two/proto/b.proto": row.protos.loader,
        "services/broken/proto/broken.proto": 'syntax = "proto3";\nservice X {\n  rpc Load(;\n}\n',
        "services/trainer/proto/trainer.proto": `${row.protos.trainer}service Two { rpc Import(Series) returns (Series); }`,
      },
    });
    const there = "bad name, broken, loader, reporter, trainer, two, unmapped, gone";
    expect(await linesOf(folder)).toEqual([
      'connections.json:4: error [unmapped-folder] Expected service_mapping to have the folder services/bad name, found loader, trainer, reporter, gone, two, broken. Add "bad name": {"ip_address": "bad name", "port": 8080}, or remove the folder',
      'connections.json:4: error [unmapped-folder] Expected service_mapping to have the folder services/unmapped, found loader, trainer, reporter, gone, two, broken. Add "unmapped": {"ip_address": "unmapped", "port": 8080}, or remove the folder',
      'connections.json:17: error [missing-folder] Expected a folder services/gone for the mapping "gone", found bad name, broken, loader, reporter, trainer, two, unmapped. Create the folder with its proto, or correct the name of the mapping',
      'connections.json:34: error [unknown-method] Expected an RPC of services/loader/proto/loader.proto, found "Lod"; it has Load. Write "Load", if that is meant',
      `connections.json:39: error [unknown-service] Expected a folder below services/ or its ip_address, found "reportr"; there are ${there}. Write "reporter", if that is meant`,
      "connections.json:43: error [method-needed] Expected the connection to name an RPC of trainer, found none; services/trainer/proto/trainer.proto has Train, Import. Add from_method or to_method",
      `connections.json:49: error [unknown-service] Expected a folder below services/ or its ip_address, found "nobody"; there are ${there}. Correct the name, or add the service`,
      'services/bad name: error [name] Expected a folder name of letters, digits, _ and -, found "bad name". Rename the folder; it becomes the name of the container',
      "services/broken/proto/broken.proto:3: error [syntax] Expected a proto file, found what is none: illegal token ';' (line 3). Correct the line; protoc says more about it",
      "services/two/proto: error [proto-count] Expected exactly one proto, found a.proto, b.proto. Keep one; what it imports goes into a folder of its own",
    ]);
  });

  it.each([
    ["", "connections.json:1: error [syntax] Expected JSON, found value expected"],
    ["{\n  'pipeline': {}\n}", "connections.json:2: error [syntax] Expected JSON, found invalid symbol"],
    [
      '{\n  "pipeline": {\n    "name": "x"\n',
      "connections.json:4: error [syntax] Expected JSON, found close brace expected",
    ],
    ["[]", "connections.json:1: error [field] the document: Invalid input: expected object, received array"],
    ['{"pipeline": {\n"name": 1}}', "connections.json:2: error [field] pipeline.name: Invalid input"],
    [
      '{"pipeline": {"name": "x",\n"start": 1}}',
      'connections.json:1: error [field] pipeline: Unrecognized key: "start"',
    ],
    [
      '{"pipeline": {"name": "x", "service_mapping": {\n"a": {"ip_address": "http://a",\n "port": "8080"}}}}',
      "connections.json:2: error [field] pipeline.service_mapping.a.ip_address: expected a host name or an address, as in data-loader",
      "connections.json:3: error [field] pipeline.service_mapping.a.port: Invalid input: expected number, received string",
    ],
    ...["a:8080", "300.1.1.1", "1:2"].map((host) => [
      `{"pipeline": {"name": "x", "service_mapping": {\n"a": {"ip_address": "${host}", "port": 80}}}}`,
      "connections.json:2: error [field] pipeline.service_mapping.a.ip_address: expected a host name or an address without a port",
    ]),
    [
      '{"pipeline": {"name": "x", "creation_date": "2026-02-30"}}',
      "connections.json:1: error [field] pipeline.creation_date: expected a date that exists, as in 2026-02-25 01:55:50",
    ],
    [
      "[".repeat(200_000),
      "connections.json:1: error [syntax] Expected JSON, found values in values, deeper than any document has them",
    ],
    [
      '{"pipeline": {"name": "x",\n"connections": [1],\n"connections": [],\n"start": 1}}',
      'connections.json:1: error [field] pipeline: Unrecognized key: "start"',
      'connections.json:3: error [syntax] Expected each member of an object once, found "connections" again, which is in line 2 already',
    ],
  ])("says where connections.json is wrong: case %#", async (text = "", ...expected) => {
    const lines = await linesOf(await writeFiles("x", { "connections.json": text }));
    expect(lines).toHaveLength(expected.length);
    for (const [index, line] of expected.entries()) expect(lines[index]).toContain(line);
  });

  it("says it where connections.json is no UTF-8, as some shells write it", async () => {
    const folder = await writeFiles("x", {});
    await mkdir(folder, { recursive: true });
    const text = Buffer.from('\uFEFF{"pipeline": {"name": "x"}}', "utf16le");
    await writeFile(join(folder, "connections.json"), text);
    expect(await linesOf(folder)).toEqual([
      "connections.json:1: error [syntax] Expected JSON, found text in UTF-16. Save the file as UTF-8",
    ]);
  });

  it("says it where a name is mapped twice, or is one that every object has", async () => {
    const folder = await writeUseCase(row);
    const path = join(folder, "connections.json");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace('"trainer": {', '"loader": {},\n"trainer": {'));
    expect((await linesOf(folder)).join()).toContain('found "loader" again');
    await writeFile(path, text);
    await cp(join(folder, "services/loader"), join(folder, "services/constructor"), { recursive: true });
    expect((await linesOf(folder)).join()).toContain(
      "[unmapped-folder] Expected service_mapping to have the folder services/constructor",
    );
  });

  it("may have links in it, but none that leads out of it, and no pipes", async ({ skip }) => {
    if (process.platform === "win32") skip("links need rights here");
    const folder = await writeUseCase(row);
    await rename(join(folder, "services/loader"), join(folder, "source"));
    await symlink("../source", join(folder, "services/loader"));
    expect(await linesOf(folder)).toEqual([]);
    await rename(join(folder, "source"), join(folder, "../source"));
    await rename(join(folder, "services/loader"), join(folder, "services/gone"));
    await symlink("../../source", join(folder, "services/loader"));
    const trainer = join(folder, "services/trainer/proto/trainer.proto");
    await rename(trainer, join(folder, "trainer.txt"));
    expect(spawnSync("sh", ["-c", 'mkfifo "$0"', trainer]).status).toBe(0);
    const expected =
      "error [unreadable] Expected a file in the use case that can be read, found none, or a link";
    expect(
      (await linesOf(folder)).map((line) => line.slice(line.indexOf("error"), line.indexOf(" that leads"))),
    ).toEqual([expected, expected]);
  });

  it("is told to be none where there is no folder, which is named", async () => {
    const { use_case, problems } = await readUseCase("no/such/case");
    expect(use_case).toBeUndefined();
    expect(problems.map(toLine)).toEqual([
      "connections.json: error [unreadable] Expected the folder of a use case, found nothing at no/such/case. Give the folder that has connections.json",
    ]);
  });

  it("is told to be none where there is no connections.json", async () => {
    const { use_case, problems } = await readUseCase(await writeFiles("x", { "README.md": "" }));
    expect(use_case).toBeUndefined();
    expect(problems.map(toLine)).toEqual([
      "connections.json: error [unreadable] Expected a file that can be read, found none. Write it, or give the folder that has it",
    ]);
  });

  it("never makes reading throw, whatever connections.json says", async () => {
    const folder = await writeUseCase(row);
    const word = fc.constantFrom(
      "pipeline",
      "connections",
      "service_mapping",
      "name",
      "__proto__",
      "port",
      "loader",
    );
    const json = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: "small" },
        fc.jsonValue(),
        fc.array(tie("any")),
        fc.dictionary(word, tie("any")),
        word,
      ),
    })).any;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          json.map((one) => JSON.stringify(one)),
          fc.string(),
        ),
        async (text) => {
          await writeFile(join(folder, "connections.json"), text);
          const { use_case, problems } = await readUseCase(folder);
          expect(use_case !== undefined || problems.length > 0).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("an import", () => {
  const importing = (path: string) =>
    `syntax = "proto3";\nimport "${path}";\nservice Node { rpc Load(Ack) returns (Ack); }\n`;
  const ack = 'syntax = "proto3"; message Ack { bool ok = 1; }';

  it.each([
    ["ack.proto", "services/loader/proto/common/ack.proto", "common/ack.proto"],
    ["beside the services", "services/ack.proto", "ack.proto"],
    ["at the root", "common/ack.proto", "common/ack.proto"],
    ["in proto/", "proto/ack.proto", "ack.proto"],
    ["in protos/", "protos/ack.proto", "ack.proto"],
  ])("is found %s", async (_name, file, path) => {
    const folder = await writeUseCase({ protos: { loader: importing(path) }, files: { [file]: ack } });
    const { use_case, problems } = await readUseCase(folder);
    expect(problems).toEqual([]);
    expect([...(use_case?.services[0]?.proto.imported ?? [])]).toEqual([[path, ack]]);
  });

  it("with a fault is told where it lies, once for all that import it", async () => {
    const protos = { loader: importing("common/ack.proto"), trainer: importing("common/ack.proto") };
    const files = { "proto/common/ack.proto": 'syntax = "proto3";\nmessage Ack { bool ok 1; }' };
    const faults = (await linesOf(await writeUseCase({ protos, files }))).filter((line) =>
      line.startsWith("proto/"),
    );
    expect(faults).toEqual([expect.stringMatching(/^proto\/common\/ack\.proto:2: error \[syntax\] /)]);
  });

  it("is not followed out of the use case", async () => {
    const folder = await writeUseCase({ protos: { loader: importing("../../../../secret.proto") } });
    await writeFile(join(folder, "../secret.proto"), ack);
    expect((await linesOf(folder))[0]).toContain(
      'services/loader/proto/loader.proto:2: error [import] Expected the import "../../../../secret.proto" beside the proto',
    );
  });
});

describe("a compose file", () => {
  const compose = `
x-base: &base
  ports: ["18090:8080"]
services:
  loader:
    ports: ["127.0.0.1:18081:8080", "50051:50051/tcp", "5353:5353/udp", "9000"]
  trainer:
    hostname: gpu
    ports:
      - target: 8080
        published: "18082"
      - "\${PORT:-18083}:9090"
      - "7000-7002:6000-6002"
  reporter:
    <<: *base
  empty:
`;
  it("is read for the ports that it publishes, in every form", async () => {
    const { use_case } = await readUseCase(
      await writeUseCase({ ...row, files: { "docker-compose.yml": compose } }),
    );
    const { services, problems } = use_case?.published ?? {};
    expect(problems).toEqual([]);
    expect(services?.get("loader")).toEqual({
      line: 5,
      ports: [
        { host: 18081, container: 8080 },
        { host: 50051, container: 50051 },
      ],
    });
    expect(services?.get("gpu")?.ports).toEqual([
      { host: 18082, container: 8080 },
      { host: 18083, container: 9090 },
      { host: 7000, container: 6000 },
      { host: 7001, container: 6001 },
      { host: 7002, container: 6002 },
    ]);
    expect(services?.get("reporter")?.ports).toEqual([{ host: 18090, container: 8080 }]);
    expect(services?.get("empty")?.ports).toEqual([]);
  });

  it.each([
    ["services: [\n  1,\n", "docker-compose.yml:3: error [syntax] Expected YAML, found what is none"],
    [
      `a: &a [1,2,3,4,5,6,7,8,9]\nb: &b [${"*a,".repeat(9)}]\nc: &c [${"*b,".repeat(9)}]\nservices:\n  x: [${"*c,".repeat(9)}]\n`,
      "[syntax] Expected YAML",
    ],
  ])("that is broken is a fault only for who needs it", async (text, expected) => {
    const folder = await writeUseCase({ ...row, files: { "docker-compose.yml": text } });
    const { use_case, problems } = await readUseCase(folder);
    expect(problems).toEqual([]);
    expect(use_case?.published?.problems.map(toLine)[0]).toContain(expected);
  });
});
