/** Secrets that are easy to recognise, driven through every failure there is: none of them may come out again. */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { inspect } from "node:util";
import { tempFolder, until } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  createMemoryStore,
  createRedisStore,
  defineOperation,
  sequentialService,
  serve,
  type TaskStore,
} from "../index.ts";
import { startCollector } from "../testing/collector.ts";
import { connectRaw } from "../testing/raw.ts";
import { start } from "../testing/start.ts";

const canaries = {
  api: "CANARY-api-2Zq8!w'x",
  old: "CANARY_old_9d81hf5c",
  peer: "CANARY.peer.77ab31+/=",
  s3: 'CANARY/s3+secret="7\\a',
  session: "CANARYsessionFwoGZXIvYXdz",
  traces: "CANARY:traces@41%",
  redis: "CANARY redis#p?ss",
};
const everyone = Object.values(canaries);
const all = everyone.join(" and ");

/** All ways in which a secret could be in a text. */
const traces = everyone.flatMap((secret) => [
  "CANARY",
  Buffer.from(secret).toString("base64").slice(0, 14),
  Buffer.from(`user:${secret}`).toString("base64").slice(7, 21),
]);

function expectNone(texts: string[]): void {
  const leaks = texts.flatMap((text) =>
    traces.flatMap((trace) => {
      const at = text.indexOf(trace);
      return at < 0 ? [] : [text.slice(Math.max(0, at - 100), at + 60)];
    }),
  );
  expect([...new Set(leaks)]).toEqual([]);
}

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A peer that tells everybody what it was told, in each way in which a peer can fail. */
function blab({ url = "", headers }: IncomingMessage, response: ServerResponse): void {
  const said = `${headers.authorization} ${all}`;
  const [, kind, status] = url.split("/");
  if (kind === "cut")
    return void response.writeHead(200, { "content-length": 10 }).write("x", () => response.destroy());
  if (kind === "encoded") return void response.writeHead(200, { "content-encoding": canaries.old }).end();
  if (kind === "redirect")
    return void response
      .writeHead(302, { location: `ftp://u:${canaries.old}@h/${canaries.old}?token=${canaries.old}` })
      .end();
  if (kind === "xml")
    return void response
      .writeHead(403)
      .end(`<Error><Code>${canaries.old}</Code><Message>${said}</Message></Error>`);
  response
    .writeHead(Number.parseInt(status ?? "", 10), said.replaceAll(/[^\x20-\x7e]/g, ""))
    .end(JSON.stringify({ detail: said }));
}

/** An object store that does. */
function forbid(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(403).end(`<Error><Code>${canaries.s3}</Code><Message>${all}</Message></Error>`);
}

class Talkative extends Error {
  config = {
    headers: { Authorization: `Bearer ${canaries.peer}` },
    password: canaries.redis,
    list: everyone,
  };
}

const failures: Record<string, () => unknown> = {
  error: () => new Error(all),
  cause: () => new Error("outer", { cause: new Error(all, { cause: all }) }),
  many: () => new AggregateError([new Error(all)], all),
  talkative: () => new Talkative(all),
  text: () => all,
  object: () => ({ key: all, toString: () => all }),
  long: () => new Error(`${"x".repeat(3990)}${all}`),
  named: () => Object.assign(new Error("x"), { name: canaries.api, code: canaries.old }),
  json: () => new Error(JSON.stringify({ inner: JSON.stringify({ all: everyone }) })),
  url: () => new Error(everyone.map((secret) => `http://h/?key=${encodeURIComponent(secret)}`).join()),
};

const operations = [
  defineOperation({
    name: "Fail",
    async run({ parameters, log, progress, workflow_id }) {
      log.warn(
        { [all]: all, headers: { authorization: canaries.old }, workflow_id, err: new Talkative(all) },
        all,
      );
      progress(10, all);
      throw failures[String(parameters.as)]?.();
    },
  }),
  defineOperation({ name: "Read", sink: true, run: async ({ inputs }) => void (await inputs[0]?.bytes()) }),
  defineOperation({ name: "Publish", run: ({ publish, parameters }) => publish("{}", parameters as never) }),
  defineOperation({ name: "Return", run: ({ parameters }) => parameters.reference as never }),
  defineOperation({ name: "Echo", run: ({ publish }) => publish("{}", { format: "json", as: "inline" }) }),
];

it("no failure brings a secret into a log, an answer, a metric or a trace", { timeout: 20_000 }, async () => {
  const collector = await startCollector(500);
  const [peer, s3] = [await listen(blab), await listen(forbid)];
  const memory = createMemoryStore();
  let isBroken = false;
  const broken = <T extends (...args: never[]) => unknown>(call: T): T =>
    ((...args: Parameters<T>) => (isBroken ? Promise.reject(new Talkative(all)) : call(...args))) as T;
  const store: TaskStore = {
    ...memory,
    ready: broken(memory.ready),
    begin: broken(memory.begin),
    find: broken(memory.find),
    update: broken(memory.update),
  };
  const started = await start(operations, {
    store,
    api_key: [canaries.api, canaries.old],
    peer_keys: { [peer]: canaries.peer },
    s3: {
      endpoint: `http://${s3}`,
      access_key_id: "AKIATEST",
      secret_access_key: canaries.s3,
      session_token: canaries.session,
      bucket: "results",
    },
    traces_endpoint: `${collector.url.replace("//", `//user:${encodeURIComponent(canaries.traces)}@`)}/500`,
    // What the URL of a store says; a store of its own would not be told apart from it.
    self_url: `http://user:${encodeURIComponent(canaries.redis)}@me`,
    fetch_retries: 0,
    log_level: "trace",
    max_body_bytes: 100_000,
  });
  const { url, lines } = started;
  const answers: string[] = [];
  const ask = async (path: string, init: RequestInit = {}, key: string | undefined = canaries.api) => {
    const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const response = await fetch(url + path, { ...init, headers: { ...authorization, ...init.headers } });
    const { status, statusText, headers } = response;
    answers.push(`${status} ${statusText} ${JSON.stringify([...headers])} ${await response.text()}`);
  };
  let serial = 0;
  const execute = (fields: Record<string, unknown>, headers: Record<string, string> = {}) => {
    const body = JSON.stringify({ workflow_id: "w", task_id: `t${++serial}`, ...fields });
    return ask("/control/execute", { method: "POST", body, headers });
  };
  const raw = async (text: string) => {
    const connection = await connectRaw(url);
    connection.send(text);
    answers.push(await connection.closed());
  };
  const inUrl = encodeURIComponent(canaries.api);

  // Who they are.
  await ask("/control/operations", {}, `${canaries.api}x`);
  await ask("/control/operations", {}, `${canaries.api}, ${canaries.old}`);
  const basic = Buffer.from(`user:${canaries.api}`).toString("base64");
  await ask("/control/operations", { headers: { authorization: `Basic ${basic}` } });
  await ask(`/control/operations?api_key=${inUrl}&token=${inUrl}`, {}, "");

  // Where they go.
  for (const key of [canaries.api, "wrong"]) {
    for (const path of [
      "",
      "/control",
      "/control/status",
      "/control/output",
      "/control/data",
      "/control/cancel",
      "/docs",
    ]) {
      await ask(`${path}/${inUrl}?api_key=${inUrl}`, {}, key);
    }
    await ask(`/control/data/x?expires=1&signature=${inUrl}`, {}, key);
    await ask(`/control/cancel/${inUrl}`, { method: "POST" }, key);
    await ask(`/%zz${inUrl}`, {}, key);
    await ask(`/control/status/%zz${inUrl}`, {}, key);
    await ask("/control/execute", { method: inUrl.replace(/\W/g, "") }, key).catch(() => undefined);
  }
  const close = `host: a\r\nconnection: close\r\nauthorization: Bearer ${canaries.api}`;
  await raw(`GET http://u:${inUrl}@h/control/status/${canaries.old} HTTP/1.1\r\n${close}\r\n\r\n`);
  await raw(`GET ${canaries.old}@h/x HTTP/1.1\r\n${close}\r\n\r\n`);
  await raw(`OPTIONS * HTTP/1.1\r\n${close}\r\n\r\n`);
  await raw(`${canaries.old} /x HTTP/1.1\r\n${close}\r\n\r\n`);
  await raw(`GET /x HTTP/1.1\r\n${close}\r\n${canaries.old} no header\r\n\r\n`);
  await raw(`GET /x HTTP/1.1\r\n${close}\r\nx: ${canaries.old.repeat(2000)}\r\n\r\n`);
  await raw(`GET /x HTTP/1.1\r\n${close}\r\nexpect: ${canaries.old}\r\n\r\n`);
  await raw(`CONNECT ${canaries.old}:1 HTTP/1.1\r\n${close}\r\n\r\n`);
  await raw(
    `POST /control/execute HTTP/1.1\r\n${close}\r\ntransfer-encoding: chunked\r\n\r\n${canaries.old}\r\n`,
  );

  // What they say.
  const bodies = [
    "{",
    `{"method":${canaries.api}`,
    `"${canaries.old}`,
    canaries.old,
    JSON.stringify(all),
    "\xff",
  ];
  for (const body of bodies) await ask("/control/execute", { method: "POST", body });
  await execute({ method: all });
  await execute({ method: canaries.api.repeat(50) });
  await execute({ method: { [all]: all }, workflow_id: [all], inputs: all, parameters: all });
  await execute({ method: "Fail", workflow_id: all, task_id: canaries.peer, parameters: { as: "error" } });
  await execute({
    method: "Echo",
    [all]: all,
    inputs: [{ protocol: all, uri: all, format: all, metadata: all }],
  });
  const said = canaries.old;
  const headers = {
    "idempotency-key": said,
    "x-correlation-id": said,
    prefer: `wait=${said}`,
    range: `bytes=${said}`,
  };
  await execute({ method: "Echo", task_id: "same" }, headers);
  await execute({ method: "Echo", task_id: "same", parameters: { other: 1 } }, headers);
  const traceparent = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;
  await execute({ method: "Fail", parameters: { as: "error" } }, { traceparent, baggage: said });
  await execute({ method: "Fail", parameters: { as: "error" } }, { traceparent: said, tracestate: said });
  await ask("/control/data/same", { headers: { range: `bytes=9-,${said}`, "if-range": said } });
  await ask("/control/status/same", { headers: { accept: "text/event-stream", "last-event-id": said } });
  for (const [name, fields] of [
    [`${said}.exe`, {}],
    ["a.json", { checksum: said }],
    ["a.json", { metadata: said }],
    ["a.json", { [said]: said }],
    ["a.json", { format: said }],
  ] as const) {
    const form = new FormData();
    for (const [field, value] of Object.entries(fields)) form.append(field, value);
    form.append("file", new File(["{}"], name));
    await ask("/control/data", { method: "POST", body: form });
  }
  await ask("/control/data", { method: "POST", body: said, headers: { "content-type": said } });
  await ask("/control/data", {
    method: "POST",
    body: said,
    headers: { "content-type": `multipart/form-data; boundary=${said}` },
  });

  // What operations do.
  for (const as of Object.keys(failures)) await execute({ method: "Fail", parameters: { as } });
  for (let task = serial; task > serial - 5; task--) {
    for (const kind of ["status", "output", "data"]) await ask(`/control/${kind}/t${task}`);
    await ask(`/control/status/t${task}`, { headers: { accept: "text/event-stream" } });
  }
  for (const options of [
    { format: said },
    { format: "json", as: said },
    { format: "json", as: "s3" },
    { format: "json", as: "presigned", name: `../${said}` },
    { format: "json", as: "presigned" },
  ]) {
    await execute({ method: "Publish", parameters: options });
  }
  for (const uri of [`http://u:${said}@`, said, `file:///${said}`, `ftp://${said}`]) {
    for (const protocol of ["http", "s3", "file", said]) {
      await execute({ method: "Return", parameters: { reference: { protocol, uri, format: "json" } } });
    }
  }

  // What peers do.
  const uris = ["401", "403", "404", "429", "500"].map((status) => `http://${peer}/said/${status}`);
  uris.push(
    ...["cut", "encoded", "redirect", "xml"].map((kind) => `http://${peer}/${kind}/200?token=${said}`),
  );
  uris.push(
    `http://u:${said}@${peer}/said/500?signature=${said}`,
    `http://${said}.invalid/`,
    `http://169.254.169.254/${said}`,
    `http://${said}:0/`,
    `http://[${said}/`,
  );
  for (const uri of uris)
    await execute({ method: "Read", inputs: [{ protocol: "http", uri, format: "json" }] });
  for (const uri of [`s3://results/${said}`, `s3://${said}/x`, said]) {
    await execute({ method: "Read", inputs: [{ protocol: "s3", uri, format: "json" }] });
  }
  for (const uri of [`/${said}`, `file:///${said}`, `file://${said}/x`]) {
    await execute({ method: "Read", inputs: [{ protocol: "file", uri, format: "json" }] });
  }

  // What the store does.
  isBroken = true;
  for (const path of ["/ready", "/control/status/same", "/control/output/same", "/control/data/same"])
    await ask(path);
  await execute({ method: "Echo" });
  await ask("/control/cancel/same", { method: "POST" });
  isBroken = false;

  // What all may see.
  for (const path of ["/metrics", "/docs", "/openapi.json", "/control/operations", "/health", "/ready"])
    await ask(path);
  await started.service.close();
  await until("spans to arrive", () => collector.text().includes("exception.message"));

  const log = lines().map((line) => JSON.stringify(line));
  expect(log.length).toBeGreaterThan(150);
  expect(answers.length).toBeGreaterThan(130);
  expectNone(log);
  expectNone(answers);
  expectNone([collector.text()]);
  // The secrets were really there: what they were used for worked as far as it can.
  expect(collector.requests[0]?.headers.authorization).toBe(
    `Basic ${Buffer.from(`user:${canaries.traces}`).toString("base64")}`,
  );
  for (const text of [log.join(), answers.join(), collector.text()]) expect(text).toContain("[redacted]");
});

const into = (log: string[]) => ({ write: (line: string) => void log.push(line) });

it("the log in a folder has no secret either, and is JSON whatever a key looks like", async () => {
  const log_dir = await tempFolder();
  const told = defineOperation({
    name: "Told",
    sink: true,
    run: ({ log }) => log.info({ token: canaries.api, size: 81234, none: null }, "working"),
  });
  const options = { log_dir, api_key: canaries.api, peer_keys: { a: "1234", b: "null" } };
  const { execute } = await start([told], options);
  await execute("Told", {}, { authorization: `Bearer ${canaries.api}` });
  const file = await until("the log", async () => {
    // It is there with its first line.
    const text = await readFile(`${log_dir}/test.log`, "utf8").catch(() => "");
    return text.includes("task ended") ? text : undefined;
  });
  const lines = file.trim().split("\n");
  expectNone(lines);
  const line = lines.map((text) => JSON.parse(text)).find(({ msg }) => msg === "working");
  expect(line).toMatchObject({ token: "[redacted]", size: "8[redacted]", none: "[redacted]" });
});

describe("the headers for a collector", () => {
  const secret = "CANARYheader9d81";
  const basic = Buffer.from(`user:${secret}`).toString("base64");

  it.each([
    ["OTEL_EXPORTER_OTLP_HEADERS", `api-key=${secret}`],
    ["OTEL_EXPORTER_OTLP_HEADERS", `x-tenant=energy, x-key = ${secret} `],
    ["OTEL_EXPORTER_OTLP_HEADERS", secret],
    ["OTEL_EXPORTER_OTLP_HEADERS", `x-project-token=${secret}`],
    ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", `authorization=Bearer%20${secret}`],
    ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", `authorization=Api-Token ${secret}`],
    ["OTEL_EXPORTER_OTLP_METRICS_HEADERS", `authorization=Basic%20${encodeURIComponent(basic)}`],
    ["OTEL_EXPORTER_OTLP_LOGS_HEADERS", `key=${secret.replaceAll("9", "%39")};secret`],
    ["OTEL_EXPORTER_OTLP_PROFILES_HEADERS", `key=${secret}%`],
  ])("in %s as %j are no more shown than other keys", async (name, value) => {
    process.env[name] = value;
    onTestFinished(() => void delete process.env[name]);
    const told = defineOperation({
      name: "Told",
      run({ log }) {
        log.info({ value, [value]: true, tenant: "energy" }, `sent ${secret}, ${basic}`);
        throw new Error(`HTTP 401: no such key: ${secret} (${value})`);
      },
    });
    const { execute, lines } = await start([told], { self_url: "http://energy" });
    const { body } = await execute("Told", {}, { "x-correlation-id": secret });
    const log = lines().map((line) => JSON.stringify(line));
    expect(log.length).toBeGreaterThan(1);
    expectNone([JSON.stringify(body), ...log]);
    for (const text of [JSON.stringify(body), log.join()]) expect(text).toContain("[redacted]");
    // What is no key stays legible.
    expect(lines()).toContainEqual(expect.objectContaining({ tenant: "energy" }));
  });

  it("are not shown where the service does not start", () => {
    process.env.OTEL_EXPORTER_OTLP_HEADERS = `api-key=${secret}`;
    onTestFinished(() => void delete process.env.OTEL_EXPORTER_OTLP_HEADERS);
    const create = () => sequentialService({ operations, log_level: secret });
    expect(create).toThrow('got "[redacted]"');
  });
});

describe("what is said at the start", () => {
  const echo = operations.slice(-1);
  const secret = canaries.old;

  it("quotes no password of a Redis, in whatever way that refuses it", async () => {
    const server = createTcpServer((socket) => {
      socket.on("error", () => {});
      socket.on(
        "data",
        () =>
          void socket.write(
            `-WRONGPASS not ${canaries.redis}, nor ${encodeURIComponent(canaries.redis)}\r\n`,
          ),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const log: string[] = [];
    const service = sequentialService({
      operations: echo,
      store: createRedisStore({
        url: `redis://user:${encodeURIComponent(canaries.redis)}@127.0.0.1:${port}`,
        namespace: "canary",
        patience_ms: 100,
        onProblem: (error) => log.push(inspect(error, { depth: 20 })),
      }),
      log_out: into(log),
    });
    const refused = await serve(service, { port: 0, host: "127.0.0.1", handle_signals: false }).catch(
      (error: unknown) => error,
    );
    await service.close();
    expect(refused).toMatchObject({ code: "store_unavailable" });
    // As Node shows an error that nobody caught.
    expectNone([inspect(refused, { depth: 20 }), ...log]);
  });

  it.each([
    { store: `redis://user:${secret}@` },
    { store: `redis://user:${secret}@host:port` },
    { store: `reddis://user:${secret}@host` },
    { store: `redis:user:${secret}@host` },
    { store: `redis://user:${secret}@host/x` },
    { self_url: `ftp://user:${secret}@host` },
    { traces_endpoint: `htp://user:${secret}@host` },
    { traces_endpoint: `http://user:${secret}@` },
    { s3: { access_key_id: "a", secret_access_key: secret, bogus: 1 } },
    { s3: { access_key_id: "", secret_access_key: secret } },
    { s3: { access_key_id: "a", secret_access_key: secret, endpoint: `http://u:${secret}@h:port` } },
    { s3: { access_key_id: "a", secret_access_key: secret, endpoint: `ftp://u:${secret}@h` } },
    { s3: { access_key_id: "a", secret_access_key: secret, region: secret, bucket: `${secret}//` } },
    { s3: { access_key_id: "a", secret_access_key: secret, session_token: `${secret}\n` } },
    { peer_keys: { "http://a": secret } },
    { peer_keys: { "user:pw@a": secret } },
    { peer_keys: { a: `${secret}\n` } },
    { peer_keys: [secret] },
    { api_key: `${secret}\n${secret}` },
    { api_key: secret, publish_as: secret },
    { api_key: secret, log_level: secret },
    { api_key: secret, name: "a", data_roots: [`http://${secret}`], port: secret },
    { peer_keys: { a: secret }, self_url: `${secret}://x` },
  ])("quotes no secret of %j", async (options) => {
    const log: string[] = [];
    const create = () =>
      sequentialService({
        operations: echo,
        log_out: into(log),
        ...(options as object),
      });
    let said: unknown;
    try {
      const service = create();
      await service.close();
    } catch (error) {
      said = error;
    }
    expectNone([inspect(said, { depth: 20 }), ...log]);
  });

  it.each([
    { TASK_STORE: `reddis://u:${secret}@h` },
    { TASK_STORE: `redis://u:${secret}@h:x` },
    { SELF_URL: `ftp://u:${secret}@h` },
    { OTEL_EXPORTER_OTLP_ENDPOINT: `htp://u:${secret}@h` },
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://u:${secret}@` },
    { SERVICE_API_KEY: `${secret}\u00e4` },
    { AWS_SECRET_ACCESS_KEY: secret },
    { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: secret, AWS_ENDPOINT_URL_S3: `x://u:${secret}@h` },
  ])("quotes no secret of the environment %j", (env) => {
    Object.assign(process.env, env);
    onTestFinished(() => {
      for (const name of Object.keys(env)) delete process.env[name];
    });
    let said: unknown;
    try {
      sequentialService({ operations: echo, log_level: "silent" });
    } catch (error) {
      said = error;
    }
    expect(said).toBeInstanceOf(TypeError);
    expectNone([inspect(said, { depth: 20 })]);
  });
});
