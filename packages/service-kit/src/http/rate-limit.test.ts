import { until } from "@aieffect/test-support";
import { describe, expect, it } from "vitest";
import { defineOperation, sequentialService } from "../index.ts";
import { connectRaw, readAnswer } from "../testing/raw.ts";
import { doors, start } from "../testing/start.ts";
import { createCounters } from "./rate-limit.ts";

const sink = defineOperation({ name: "Sink", sink: true, run: () => undefined });
const detail = "Expected at most 2 calls in 60 s, found more; try again later";
const twice = { requests: 2, window_s: 60 };

describe.each(doors)("a rate limit behind %s", (door) => {
  it("answers 429 and when to come back, but not on /health and /ready (R-LIMIT-01)", async () => {
    const { execute, call, lines } = await start([sink], { door, rate_limit: twice });
    expect((await execute("Sink")).status).toBe(200);
    for (let round = 0; round < 5; round++) {
      expect((await call("/health")).status).toBe(200);
      expect((await call("/ready")).status).toBe(200);
    }
    expect((await call("/control/status/task-1")).status).toBe(200);
    const refused = await execute("Sink");
    expect(refused).toMatchObject({ status: 429, body: { detail } });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(50);
    expect(Number(refused.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    expect((await call("/control/operations", { method: "HEAD" })).status).toBe(429);
    expect(lines().filter(({ code }) => code === "rate_limited")).toHaveLength(2);
  });

  it("counts wrong keys too, so that nobody can try them all (R-LIMIT-01)", async () => {
    const { call } = await start([sink], { door, rate_limit: twice, api_key: "right" });
    const guess = async (key: string) =>
      (await call("/control/operations", { headers: { authorization: `Bearer ${key}` } })).status;
    expect([await guess("a"), await guess("b"), await guess("right")]).toEqual([401, 401, 429]);
  });

  it("tells clients apart by what the proxy in front saw", async () => {
    const { call } = await start([sink], { door, rate_limit: twice, trust_proxy: 1 });
    const from = async (address: string) =>
      (await call("/control/operations", { headers: { "x-forwarded-for": address } })).status;
    const customer = ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "9.9.9.9, 2001:DB8:0:1::3"];
    expect(await Promise.all(customer.map(from))).toEqual([200, 200, 429]);
    expect(await from("2001:db8:0:2::1")).toBe(200);
    expect(await from("1.2.3.4")).toBe(200);
  });
});

describe("a rate limit", () => {
  it("is not there unless it is asked for", async () => {
    const { call } = await start([sink]);
    const answers = await Promise.all(Array.from({ length: 200 }, () => call("/control/operations")));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it("does not look at X-Forwarded-For where no proxy was named", async () => {
    const { call } = await start([sink], { rate_limit: twice });
    const from = async (address: string) =>
      (await call("/control/operations", { headers: { "x-forwarded-for": address } })).status;
    expect([await from("1.1.1.1"), await from("2.2.2.2"), await from("3.3.3.3")]).toEqual([200, 200, 429]);
  });

  it("holds for all that serve() answers", async () => {
    const { call } = await start([sink], { rate_limit: twice });
    const paths = ["/metrics", "/docs", "/openapi.json", "/nothing", "/health/", "/control/execute"];
    const codes = [];
    for (const path of paths) codes.push((await call(path)).status);
    expect(codes).toEqual([200, 200, 429, 429, 429, 429]);
  });

  it("ends with its window", async () => {
    const { call } = await start([sink], { rate_limit: { requests: 1, window_s: 0.2 } });
    await call("/control/operations");
    const refused = await call("/control/operations");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    await until("the window to end", async () => (await call("/control/operations")).status === 200);
  });

  it("answers before the body has come", async () => {
    const { url, call } = await start([sink], { rate_limit: { requests: 1, window_s: 60 } });
    await call("/control/operations");
    const raw = await connectRaw(url);
    raw.send("POST /control/execute HTTP/1.1\r\nhost: a\r\ncontent-length: 10000000\r\n\r\n{");
    expect(readAnswer(await raw.shows("\r\n\r\n{")).status).toBe(429);
  });

  it.each([
    [{ rate_limit: 5 }, "rate_limit to be an object"],
    [{ rate_limit: { requests: 0 } }, "rate_limit.requests to be an integer of at least 1, got 0"],
    [{ rate_limit: { requests: 1, window_s: 0 } }, "rate_limit.window_s to be above 0"],
    [{ rate_limit: { requests: 1, window: 1 } }, "got window"],
    [{ trust_proxy: true }, "trust_proxy to be an integer of at least 0, got true"],
  ])("that is %j is refused at the start", (options, message) => {
    expect(() => sequentialService({ operations: [sink], ...(options as object) })).toThrow(message);
  });
});

describe("createCounters", () => {
  it("gives a client its own, also in the next window, until there are too many", () => {
    let now = 0;
    const counterOf = createCounters(1000, () => now);
    expect(counterOf("early")).toBe("early");
    for (let client = 0; client < 20_000; client++) counterOf(`flood ${client}`);
    expect(counterOf("early")).toBe("early");
    expect(counterOf("late")).toMatch(/^shared \d+$/);
    now += 1000;
    for (let client = 0; client < 20_000; client++) counterOf(`another ${client}`);
    expect(counterOf("early")).toBe("early");
    now += 2000;
    expect(counterOf("late")).toBe("late");
  });

  it("counts no more of them with every window that a flood goes on", () => {
    let now = 0;
    const counterOf = createCounters(1000, () => now);
    const seen: string[] = [];
    for (let window = 0; window < 6; window++) {
      const counters = new Set<string>();
      const clients = Array.from({ length: 10_000 }, (_, client) => `${window} ${client}`);
      for (const client of [...clients, ...seen]) counters.add(counterOf(client));
      seen.push(...clients);
      expect(counters.size).toBeLessThanOrEqual(20_000 + 1024);
      now += 1000;
    }
  });
});
