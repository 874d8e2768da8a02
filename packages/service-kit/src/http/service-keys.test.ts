import { rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createUrlSigner } from "@aieffect/data-plane-file";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { defineOperation, sequentialService } from "../index.ts";
import { connectRaw, readAnswer } from "../testing/raw.ts";
import { doors, type Started, start } from "../testing/start.ts";

const echo = defineOperation({ name: "Echo", run: (ctx) => ctx.publish("{}", { format: "json" }) });
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** What an executed Echo can be fetched from, on the host that the test has. */
async function uriOf({ execute, url }: Started, key: string): Promise<string> {
  const { body } = await execute("Echo", {}, bearer(key));
  const { uri } = (body as { output: { uri: string } }).output;
  return uri.replace(/^http:\/\/localhost:\d+/, url);
}

const statusOf = async (url: string) => (await fetch(url)).status;

function isSignedWith(key: string, uri: string): boolean {
  const { pathname, searchParams } = new URL(uri);
  return createUrlSigner(key).verify(pathname, searchParams, Date.now()) === "valid";
}

/** A service whose keys are in a file, and whose clock a test can put forward. */
async function startWithFile(content: string) {
  const file = `${await tempFolder()}/keys`;
  writeFileSync(file, content);
  process.env.SERVICE_API_KEY_FILE = file;
  onTestFinished(() => void delete process.env.SERVICE_API_KEY_FILE);
  let ahead_ms = 0;
  const started = await start([echo], { now: () => Date.now() + ahead_ms });
  const allows = async (key: string) =>
    (await started.call("/control/operations", { headers: bearer(key) })).status === 200;
  return {
    ...started,
    file,
    allows,
    /** Writes other keys, and lets the second pass after which they count. */
    change(keys: string) {
      writeFileSync(file, keys);
      ahead_ms += 1001;
    },
    pass: () => {
      ahead_ms += 1001;
    },
    logged: (text: string) => started.lines().filter(({ msg }) => String(msg).includes(text)),
  };
}

describe.each(doors)("keys behind %s", (door) => {
  it("are all accepted, and the first signs URLs (R-AUTH-05)", async () => {
    const started = await start([echo], { door, api_key: ["new", "old"] });
    const uris = [await uriOf(started, "new"), await uriOf(started, "old")];
    expect(uris.map((uri) => isSignedWith("new", uri))).toEqual([true, true]);
    expect(await Promise.all(uris.map(statusOf))).toEqual([200, 200]);
    const { pathname } = new URL(uris[0] as string);
    const signedWith = (key: string) =>
      started.url + createUrlSigner(key).sign(pathname, Math.ceil(Date.now() / 1000) + 60);
    expect(await statusOf(signedWith("old"))).toBe(200);
    expect(await statusOf(signedWith("other"))).toBe(401);
  });

  it.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "right",
    "Basic right",
    "Bearer righ",
    "Bearer rightx",
    "Bearer RIGHT",
    "Bearer \u00ff",
    "Bearer right, Bearer right",
  ])("do not take the header %j, and say nothing of why (R-AUTH-01)", async (authorization) => {
    const { call } = await start([echo], { door, api_key: "right" });
    const headers = authorization === undefined ? undefined : { authorization };
    const refused = await call("/control/operations?api_key=right", headers && { headers });
    expect(refused).toMatchObject({ status: 401, body: { detail: "Unauthorized" } });
    expect(refused.headers.get("www-authenticate")).toBe("Bearer");
  });

  it("are asked for ahead of everything else, be it wrong as well (R-AUTH-04)", async () => {
    const { url, call, execute } = await start([echo], { door, api_key: "right" });
    expect((await call("/control/status/none")).status).toBe(401);
    expect((await call("/control/execute")).status).toBe(401);
    expect((await execute("Nope")).status).toBe(401);
    if (door === "router behind express.json()") return;
    const raw = await connectRaw(url);
    raw.send("POST /control/execute HTTP/1.1\r\nhost: a\r\ncontent-length: 10000000\r\n\r\n");
    // Nothing of the body has been sent, nor will it ever be.
    const answer = readAnswer(await raw.shows('"Unauthorized"'));
    expect(answer).toMatchObject({ status: 401, headers: { connection: "close" } });
  });
});

describe("a caller that asks before it sends (Expect: 100-continue)", () => {
  const head = (token: string) =>
    `POST /control/execute HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${token}\r\nexpect: 100-continue\r\ncontent-length: 53\r\n\r\n`;

  it("is told to go on where its key is right, and refused where it is not", async () => {
    const { url } = await start([echo], { api_key: "right" });
    const refused = await connectRaw(url);
    refused.send(head("wrong"));
    expect(await refused.shows("Unauthorized")).not.toContain("100 Continue");
    const taken = await connectRaw(url);
    taken.send(head("right"));
    await taken.shows("HTTP/1.1 100 Continue");
    taken.send('{"method":"Echo","workflow_id":"w-1","task_id":"t-1"}');
    expect(await taken.shows("complete")).toContain("HTTP/1.1 200 OK");
  });
});

describe("the file of the keys", () => {
  it("counts within a second of a change, without a restart, and URLs stay valid (R-AUTH-05)", async () => {
    const started = await startWithFile("old\n");
    const { allows, change } = started;
    const before = await uriOf(started, "old");
    expect(await allows("new")).toBe(false);
    change("new\r\n\r\n  old  \n");
    expect([await allows("new"), await allows("old")]).toEqual([true, true]);
    const after = await uriOf(started, "new");
    expect([isSignedWith("old", before), isSignedWith("new", after)]).toEqual([true, true]);
    expect([await statusOf(before), await statusOf(after)]).toEqual([200, 200]);
    change("new\n");
    // Also where a signed URL is the first to come.
    expect([await statusOf(before), await statusOf(after)]).toEqual([401, 200]);
    expect([await allows("new"), await allows("old")]).toEqual([true, false]);
    expect(started.logged("the keys have changed")).toMatchObject([{ keys: 2 }, { keys: 1 }]);
  });

  it("counts too where size and time tell nothing of the change", async () => {
    const { allows, change, file } = await startWithFile("one");
    const { atime, mtime } = statSync(file);
    expect(await allows("one")).toBe(true);
    change("two");
    utimesSync(file, atime, mtime);
    expect([await allows("one"), await allows("two")]).toEqual([false, true]);
    change("six");
    utimesSync(file, atime, mtime);
    expect([await allows("two"), await allows("six")]).toEqual([false, true]);
  });

  it("changes nothing while it cannot be read, which is said once, without what is in it", async () => {
    const { allows, change, pass, file, logged, lines } = await startWithFile("first-key");
    for (const broken of ["", "\n \n", "no\u00e4-ascii-key"]) {
      change(broken);
      expect([await allows("first-key"), await allows("")]).toEqual([true, false]);
    }
    rmSync(file);
    for (let round = 0; round < 3; round++) {
      pass();
      expect(await allows("first-key")).toBe(true);
    }
    expect(logged("could not be read again")).toHaveLength(3);
    change("second-key");
    expect([await allows("first-key"), await allows("second-key")]).toEqual([false, true]);
    expect(JSON.stringify(lines())).not.toMatch(/first-key|second-key|ascii-key/);
  });

  it("is not looked at again where the environment has the key itself", async () => {
    process.env.SERVICE_API_KEY = "old";
    onTestFinished(() => void delete process.env.SERVICE_API_KEY);
    const { allows, change } = await startWithFile("new\nold\n");
    change("other");
    expect([await allows("new"), await allows("old"), await allows("other")]).toEqual([true, true, false]);
  });
});

it.each([
  [[], "at least one key, got an empty list"],
  [[undefined], "got undefined"],
  [["good", ""], "got an empty text"],
  ["two\nlines-of-CANARY", "a text that no Authorization header can carry"],
  [" CANARY", "without spaces at its ends"],
])("the api_key %j is refused at the start, and not quoted", (api_key, message) => {
  const create = () => sequentialService({ operations: [echo], api_key: api_key as string[] });
  expect(create).toThrow(message);
  expect(create).not.toThrow("CANARY");
});
