import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { catalogue } from "../cases/catalogue.ts";
import { startPristine } from "../zoo/pristine.ts";
import { type ConformanceCase, defineCase } from "./case.ts";
import { runOrder } from "./order.ts";
import type { RunReport } from "./report.ts";
import { runSuite } from "./run.ts";

describe("the order in which cases run", () => {
  it("is early, soon, late, last, and within each as before", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...catalogue]), (cases) => {
        const of = (...turns: (string | undefined)[]) => cases.filter(({ turn }) => turns.includes(turn));
        expect(runOrder(cases)).toEqual([
          ...of(undefined, "early"),
          ...of("soon"),
          ...of("late"),
          ...of("last"),
        ]);
      }),
    );
  });
});

const base = {
  profile: "core",
  level: "MUST",
  because: "practice",
  rules: [],
  needs: [],
  holds: "it holds",
  consequence: "none",
  fix: "none",
} as const satisfies Partial<ConformanceCase>;

describe("what is prepared beside a case that waits", () => {
  let close: () => Promise<void>;
  let url: string;
  beforeAll(async () => {
    const service = await startPristine({});
    url = service.url();
    close = () => service.close();
  });
  afterAll(() => close());

  /** A case that waits until `until` has happened, and one that prepares with `prepare`. */
  async function run(prepare: ConformanceCase["prepare"], until: Promise<void>): Promise<RunReport> {
    const looks = defineCase({
      ...base,
      id: "Z1",
      slug: "test/looks",
      turn: "late",
      ...(prepare && { prepare }),
      async run(t) {
        t.check((await t.send({ path: "/health" })).reply?.status === 200, "E_NOT_JSON", {
          expected: "",
          found: "",
        });
      },
    });
    const waits = defineCase({
      ...base,
      id: "Z2",
      slug: "test/waits",
      async run(t) {
        await t.beside(() => until);
        await t.send({ path: "/health?after" });
        t.check(true, "E_NOT_JSON", { expected: "", found: "" });
      },
    });
    return runSuite({ url, cases: [looks, waits] });
  }

  it("goes on while that waits, noted under its own case, and is over before that goes on", async () => {
    let happen = () => {};
    const until = new Promise<void>((resolve) => (happen = resolve));
    const report = await run(async (t) => {
      await t.send({ path: "/health?first" });
      happen();
      await t.send({ path: "/health?second" });
    }, until);
    const calls = report.exchanges
      .filter(({ request }) => request.path.startsWith("/health?"))
      .map(({ case_id, request }) => `${case_id} ${request.path}`);
    expect(calls).toEqual(["Z1 /health?first", "Z1 /health?second", "Z2 /health?after"]);
    // Told in the order of the catalogue, whichever ran first.
    expect(report.results.map(({ case: { id }, status }) => `${id} ${status}`)).toEqual([
      "Z1 pass",
      "Z2 pass",
    ]);
  });

  it("may break: the case then runs as if nothing had been prepared", async () => {
    const report = await run(async () => {
      throw new Error("the preparation broke");
    }, Promise.resolve());
    expect(report.results.map(({ status }) => status)).toEqual(["pass", "pass"]);
  });
});
