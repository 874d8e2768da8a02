import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { needs, tempFolder } from "@aieffect/test-support";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { catalogue } from "../cases/catalogue.ts";
import { figures } from "../cases/performance/figures.ts";
import { defineCase } from "../engine/case.ts";
import type { RunEvent } from "../engine/events.ts";
import type { RunReport } from "../engine/report.ts";
import { runSuite } from "../engine/run.ts";
import { findBrowser, findProgram } from "../testing/programs.ts";
import { answerFault, onExecute } from "../zoo/faults.ts";
import { pristineSamples } from "../zoo/manifest.ts";
import { startPristine } from "../zoo/pristine.ts";
import { toBadge } from "./badge.ts";
import { createConsoleReporter } from "./console.ts";
import { documentExchange, type ReportDocument, reportSchema, toDocument } from "./document.ts";
import { bodyFileOf, planEvidence, writeEvidence } from "./evidence.ts";
import { toHtml } from "./html.ts";
import { toJUnit } from "./junit.ts";
import { toMarkdown } from "./markdown.ts";
import { toHtmlMatrix, toMarkdownMatrix } from "./matrix.ts";
import { createNdjsonReporter } from "./ndjson.ts";
import { createRedactor, type Secret } from "./secrets.ts";

const token = "a-token-of-the-test-0123456789";
const secrets: Secret[] = [{ value: token, variable: "SERVICE_API_KEY" }];
/** What a service may try: markup, terminal codes, characters that XML has no place for, its caller's key. */
const hostile = `</pre><script>document.title="owned"</script>\u001b[31m]]>\u0000\uffff\ud800\u202e|\`\`\`${token}`;

/** Cases that end in every way, beside those of the catalogue. */
const own = [
  defineCase({
    id: "Z1",
    slug: "test/hostile",
    profile: "core",
    level: "MUST",
    because: "orchestrator",
    rules: ["R-EXEC-05"],
    needs: ["sample"],
    holds: "Nothing of this kind",
    consequence: "It fails.",
    fix: "None.",
    async run(t) {
      const run = await t.run(t.sample());
      t.check(false, "E_REPLY_REFUSED", { expected: "what is right", found: hostile, at: [run.execute] });
      const slow = t.slow();
      const execute = await t.execute(slow);
      const status = await t.status(t.handleOf(execute));
      t.check(false, "E_STUCK", { expected: "an end", found: "none", at: [execute, status] });
      const raw = await t.raw({
        write: ["GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"],
        replies: 1,
      });
      t.check(false, "E_MALFORMED_REPLY", { expected: "HTTP", found: "HTTP", at: raw.exchange });
    },
  }),
  ...(["warn", "untestable", "inconclusive"] as const).map((status, at) =>
    defineCase({
      id: `Z${at + 2}`,
      slug: `test/${status}`,
      profile: "isolation",
      level: status === "warn" ? "SHOULD" : "MUST",
      because: "practice",
      rules: [],
      needs: [],
      holds: "Something",
      consequence: "Something else.",
      fix: "Something.",
      async run(t) {
        if (status === "untestable") t.untestable(`add this: ${hostile}`);
        if (status === "warn") t.check(false, "E_CONTENT_TYPE", { expected: "a", found: "b" });
        else
          await t.timed(
            -1,
            "E_DEADLINE",
            () => ({ expected: "a", found: "b" }),
            async () => {},
          );
      },
    }),
  ),
];

let report: RunReport;
let document: ReportDocument;
let service: Awaited<ReturnType<typeof startPristine>>;
let browser: Browser | undefined;
const events: RunEvent[] = [];
const chosen = catalogue.filter(({ id }) => ["C01", "C05", "T04"].includes(id));

beforeAll(async () => {
  service = await startPristine({
    token,
    time_scale: 0.1,
    hooks: answerFault(
      () => {},
      onExecute,
      (body) => (body.status === "complete" ? { body: { ...body, message: hostile } } : undefined),
    ),
  });
  report = await runSuite({
    url: service.url(),
    token,
    samples: pristineSamples(),
    cases: [...chosen, ...own],
    skip: ({ id }) => (id === "T04" ? "not chosen with --case" : undefined),
    settings: { time_scale: 0.1, poll_interval_ms: 20, seed: 7 },
    onEvent: (event) => events.push(event),
  });
  document = toDocument(report, { secrets, settings: { seed: 7 } });
  const executablePath = findBrowser();
  if (executablePath !== undefined) {
    const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
    const alone = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
    browser = await chromium.launch({ executablePath, args: [...quiet, ...alone] });
  }
});
afterAll(async () => {
  await browser?.close();
  await service.close();
});

describe("the JSON report", () => {
  it("keeps to its published schema, and lists every case with why", () => {
    const read = reportSchema.parse(JSON.parse(JSON.stringify(document)));
    expect(read.cases.map(({ id, status, reason }) => [id, status, reason !== null])).toEqual([
      ["C01", "pass", false],
      ["C05", "pass", false],
      ["T04", "skipped", true],
      ["Z1", "fail", false],
      ["Z2", "warn", false],
      ["Z3", "untestable", true],
      ["Z4", expect.stringMatching(/fail|inconclusive/), false],
    ]);
    expect(read.profiles.find(({ profile }) => profile === "core")).toMatchObject({
      verdict: "NON-CONFORMANT",
      because: ["Z1"],
    });
  });

  it("has the exchanges that its findings point at, and no others", () => {
    const pointed = new Set(
      document.cases.flatMap(({ findings }) => findings.flatMap(({ exchanges }) => exchanges)),
    );
    expect(document.exchanges.map(({ n }) => n)).toEqual([...pointed].sort((a, b) => a - b));
  });
});

it("cuts long bodies, neither a key nor a character in two", () => {
  const [first] = report.exchanges;
  const bodyOf = (text: string) => {
    const exchange = { ...(first as (typeof report.exchanges)[number]) };
    exchange.request = { ...exchange.request, body: Buffer.from(text) };
    return documentExchange(exchange, { base_url: service.url(), redactor: createRedactor(secrets) }).request
      .body;
  };
  for (let before = 16_384 - 40; before < 16_384 + 10; before++) {
    const body = bodyOf(`${"x".repeat(before)}ü${token}${"y".repeat(100)}`);
    expect(body).toMatchObject({ cut: true, bytes: before + 2 + token.length + 100 });
    expect(body.text).toMatch(/^x+(ü.{0,40})?$/);
    expect(body.text).not.toContain(token.slice(0, 4));
  }
  expect(bodyOf("ü".repeat(100))).toEqual({ bytes: 200, text: "ü".repeat(100), cut: false });
});

it("keeps the key out of every report", async () => {
  const lines: string[] = [];
  const ndjson = createNdjsonReporter((line) => lines.push(line), secrets);
  const console = createConsoleReporter({ output: { write: (text) => lines.push(text) }, secrets });
  for (const event of events) for (const tell of [ndjson, console]) tell(event);
  const all = [
    ...lines,
    JSON.stringify(document),
    toJUnit(document),
    toMarkdown(document),
    toHtml(document),
    toBadge(document),
    toMarkdownMatrix([{ name: "a", document }]),
    toHtmlMatrix([{ name: "a", document }]),
  ];
  for (const text of all) expect(text).not.toContain(token);
  // It was there to be kept out.
  expect(report.exchanges.some(({ reply }) => reply?.body.includes(token))).toBe(true);
  expect(all.filter((text) => text.includes("SERVICE_API_KEY")).length).toBeGreaterThan(4);
});

describe("the console", () => {
  const shown = (options: object = {}) => {
    let text = "";
    const tell = createConsoleReporter({ output: { write: (more) => (text += more) }, secrets, ...options });
    for (const event of events) tell(event);
    return text;
  };

  it("tells a failure with all that helps, as soon as its case has ended", () => {
    let text = "";
    const tell = createConsoleReporter({ output: { write: (more) => (text += more) }, secrets });
    for (const event of events) {
      tell(event);
      if (event.type === "case.end" && event.result.case.id === "Z1") break;
    }
    for (const part of [
      "FAIL  Z1",
      "E_REPLY_REFUSED",
      "expected what is right",
      "replay   curl",
      "nc -w 5",
      "so       It fails.",
    ]) {
      expect(text).toContain(part);
    }
  });

  it("ends with the verdicts, and what to add", () => {
    const text = shown();
    expect(text).toMatch(/core {10}NON-CONFORMANT {4}2 passed, 1 failed: Z1/);
    expect(text).toContain("isolation");
    expect(text).toMatch(/Not tested, and what to do about it:\n {2}Z3\n {6}add this/);
    expect(text).toMatch(/NON-CONFORMANT \(\d+ requests in/);
  });

  it("lets nothing of a service's text act on the terminal", () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(shown()).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
    expect(shown({ color: true })).toContain("\x1b[31mFAIL");
  });

  it("tells only failures and verdicts when it is to be quiet", () => {
    const text = shown({ quiet: true });
    expect(text).not.toContain("pass  C01");
    expect(text).toContain("FAIL  Z1");
    expect(text).toContain("NON-CONFORMANT");
  });
});

describe("Markdown", () => {
  it("is never longer than 1 MiB, and says so when something is left out", () => {
    const [one] = document.cases.filter(({ id }) => id === "Z1");
    const many = Array.from({ length: 3000 }, (_, at) => ({ ...(one as never as object), id: `Z${at}` }));
    const text = toMarkdown({ ...document, cases: many as ReportDocument["cases"] });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(2 ** 20);
    expect(text).toMatch(/\d+ more sections do not fit here/);
  });

  it("does not let a service's text out of its place", () => {
    expect(toMarkdown(document)).not.toMatch(/<script|[^`]```$|\|\s*`{3}/);
  });
});

describe("the badge", () => {
  it.each([
    ["NON-CONFORMANT", "#b3261e"],
    ["NOT PROVEN", "#6b6b6b"],
    ["CONFORMANT", "#2a7f3f"],
  ] as const)("of %s has its colour", (verdict, color) => {
    expect(toBadge({ ...document, verdict })).toContain(color);
  });
});

describe("the evidence", () => {
  it("has the bytes, and a script that replays with the ids of its own run", async () => {
    const folder = await tempFolder();
    const plan = planEvidence(report);
    await writeEvidence(folder, plan, report, secrets);
    const files = await readdir(join(folder, "evidence/Z1"));
    expect(files).toContain("repro.sh");
    const texts = await Promise.all(
      files.map((file) => readFile(join(folder, "evidence/Z1", file), "latin1")),
    );
    expect(texts.filter((text) => text.includes(token))).toEqual([]);
    expect(texts.some((text) => /^POST \/control\/execute HTTP\/1\.1\r\nHost: 127/.test(text))).toBe(true);
    expect(bodyFileOf(plan, report.exchanges.at(-1) as never)).toMatch(/^evidence\/Z1\/\d{3}-body\.bin$/);
    const script = await readFile(join(folder, "evidence/Z1/repro.sh"), "utf8");
    expect(script).toMatch(/TASK_\d=\$\(.*\n[\s\S]*\/control\/status\/"\$TASK_\d"/);
    if (findProgram("curl") === undefined) return;
    const child = spawn("bash", [join(folder, "evidence/Z1/repro.sh")], {
      env: { ...process.env, SERVICE_API_KEY: token },
    });
    let out = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    await once(child, "close");
    // The status of the new task, not of the one that the harness had.
    expect(out).toMatch(/"status":"running","task_id"[\s\S]*"status":"(running|complete)","progress"/);
  });
});

describe.skipIf(needs("chromium", findBrowser()))("in a browser", () => {
  const asked: string[] = [];

  /** Opens a page and notes what it asks the network for. */
  async function open(html: string, options: Parameters<Browser["newPage"]>[0] = {}): Promise<Page> {
    const folder = await tempFolder();
    const file = join(folder, "page.html");
    const { writeFile } = await import("node:fs/promises");
    await writeFile(file, html);
    const page = await (browser as Browser).newPage(options);
    asked.length = 0;
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    return page;
  }

  it.each(["light", "dark"] as const)("the HTML report can be read in %s mode", async (colorScheme) => {
    const page = await open(toHtml(document), { colorScheme });
    expect(await page.title()).toBe(`NON-CONFORMANT: ${service.url()}`);
    expect(await page.locator("h1").textContent()).toBe(service.url());
    const failed = page.locator("article#Z1");
    // biome-ignore lint/performance/useDomNodeTextContent: what is folded away is not to be read
    const text = await failed.innerText();
    for (const part of [
      "R-EXEC-05",
      "It fails.",
      "E_REPLY_REFUSED",
      "what is right",
      "<script>",
      "curl -sS",
    ]) {
      expect(text).toContain(part);
    }
    expect(await page.locator("script").count()).toBe(0);
    expect(asked).toHaveLength(1);
    expect(await worstContrast(page)).toBeGreaterThanOrEqual(4.5);
    await page.close();
  });

  it("the HTML report fits a small screen, and has names for those who do not see it", async () => {
    const page = await open(toHtml(document), { viewport: { width: 380, height: 800 } });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(380);
    expect(await page.locator("html[lang=en]").count()).toBe(1);
    expect(await page.locator("main").count()).toBe(1);
    const nameless = page.locator("pre:not([aria-label]), th:not([scope]), a:not([href])");
    expect(await nameless.count()).toBe(0);
    // Every link of the page leads somewhere.
    const dead = await page.evaluate(
      `[...document.querySelectorAll('a[href^="#"]')].filter((a) => !document.getElementById(a.hash.slice(1))).length`,
    );
    expect(dead).toBe(0);
    await page.close();
  });

  it("the matrix has a column a service", async () => {
    const page = await open(
      toHtmlMatrix([
        { name: "one", document },
        { name: "<two>", document },
      ]),
    );
    expect(await page.locator("thead th").count()).toBe(3);
    expect(await page.locator("tbody tr").count()).toBe(document.cases.length + 1);
    expect(asked).toHaveLength(1);
    await page.close();
  });

  it("JUnit and the badge are XML", async () => {
    const page = await open("<!doctype html><title>x</title>");
    const problems = await page.evaluate(
      `(${(texts: string[]) => {
        // biome-ignore lint/suspicious/noExplicitAny: it runs in the page
        const Parser = (globalThis as any).DOMParser;
        return texts.map(
          (text) =>
            new Parser().parseFromString(text, "text/xml").querySelector("parsererror")?.textContent ?? "",
        );
      }})(${JSON.stringify([toJUnit(document), toBadge(document)])})`,
    );
    expect(problems).toEqual(["", ""]);
    await page.close();
  });
});

it("JUnit has a suite a profile, and skips what was not tested", () => {
  const text = toJUnit(document);
  expect(text.match(/<testsuite /g)).toHaveLength(3);
  expect(text).toMatch(/<testsuites name="[^"]*" tests="7" failures="[12]" errors="0" skipped="[23]"/);
  expect(text).toMatch(/name="Z3 test\/untestable"[\s\S]*?<skipped message="untestable: add this/);
  expect(text).toMatch(/name="Z2 test\/warn"[\s\S]*?<system-out>/);
});

it("the example's manifest is one", async () => {
  const { parseManifest } = await import("../target/manifest.ts");
  const text = await readFile(new URL("../../examples/hello.yaml", import.meta.url), "utf8");
  expect(Object.keys(parseManifest(text).methods)).toEqual(["Mean", "Train"]);
  expect(parseDocument(text).errors).toEqual([]);
});

it("README tells every figure, its unit and which side is good", async () => {
  const text = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const rows = Object.entries(figures).map(
    ([name, { case: id, unit, better, means }]) => `| \`${name}\` | ${id} | ${unit} | ${better} | ${means} |`,
  );
  expect(rows.filter((row) => !text.includes(row))).toEqual([]);
});

/** The worst contrast of any text to what is behind it, as WCAG 2 counts it. */
function worstContrast(page: Page): Promise<number> {
  return page.evaluate(`(() => {
    const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => {
      const [x, y, z] = [r, g, b].map((v) => (v /= 255, v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const behind = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const color = rgb(getComputedStyle(at).backgroundColor);
        if (color[3] !== 0) return color;
      }
      return [255, 255, 255];
    };
    let worst = 21;
    for (const element of document.querySelectorAll("body *")) {
      if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
      const [one, other] = [light(rgb(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
      worst = Math.min(worst, (one + 0.05) / (other + 0.05));
    }
    return worst;
  })()`);
}
