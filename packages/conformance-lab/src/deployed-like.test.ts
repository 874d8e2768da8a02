import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { catalogue } from "@aieffect/conformance";
import { needs } from "@aieffect/test-support";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { judge } from "./judge.ts";
import { startProgram } from "./start-program.ts";

const key = "a-key-of-the-lab";
const hasPython = spawnSync("python3", ["--version"]).status === 0;

const manifest = `
methods:
  Echo:
    mode: sequential
    samples:
      a: { inputs: [{ protocol: inline, uri: !json { x: 1 }, format: json }] }
  Describe:
    mode: sequential
    samples:
      a: { parameters: { k: 1 } }
  Sloppy:
    mode: sequential
    samples:
      a: { parameters: { k: 1 } }
  Flash:
    mode: concurrent
    max-duration: 3s
    samples:
      a: { parameters: { ms: 10 } }
  Train:
    mode: concurrent
    max-duration: 3s
    samples:
      a: { parameters: { ms: 600, k: 1 } }
      b: { parameters: { ms: 600, k: 2 } }
      fail: { parameters: { ms: 600, fail: true } }
      slow: { parameters: { ms: 2200, k: 3 }, expect-at-least: 2s }
`;

/** What is wrong with the deployed kits, and the case that finds it. */
const known = [
  ["I01", "fail", "keeps tasks by task_id alone"],
  ["T15", "fail", "turns a finished task back into one that runs when it is executed again"],
  ["T12", "fail", "leaves a task running when its thread dies"],
  ["T16", "fail", "registers a task after it has ended, so that its end is lost"],
  ["R01", "fail", "answers 500 to a lone surrogate"],
  ["D02", "fail", "hands out a format that is none"],
  ["A05", "warn", "sends no challenge with a 401"],
  ["C05", "fail", "does not check what it answers"],
] as const;

describe.skipIf(needs("python3", hasPython))("a service like the deployed Python ones", () => {
  let close: (() => Promise<void>) | undefined;
  let statuses: Map<string, string>;

  beforeAll(async () => {
    const file = fileURLToPath(new URL("../python/deployed_like_service.py", import.meta.url));
    const { url, spawned } = await startProgram(`exec python3 ${JSON.stringify(file)}`, {
      SERVICE_API_KEY: key,
    });
    close = () => spawned.close();
    const wanted = new Set<string>(known.map(([id]) => id));
    const cases = catalogue.filter(({ id }) => wanted.has(id));
    const report = await judge({ url, token: key, manifest, cases, settings: { timeout_ms: 5000 } });
    statuses = new Map(report.results.map((result) => [result.case.id, result.status]));
  }, 60_000);
  afterAll(() => close?.());

  it.each(known)("is found out by %s (%s): it %s", (id, status) => {
    expect(statuses.get(id)).toBe(status);
  });
});
