import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { lightSample } from "../robustness/probe.ts";
import { drain, type Measured, measure } from "./measure.ts";

const kibibyte = 1024;
const mebibyte = 2 ** 20;
const sizes = [kibibyte, 64 * kibibyte, mebibyte, 2 * mebibyte, 4 * mebibyte, 8 * mebibyte];
const enough_ms = 300;

export const payload = defineCase({
  id: "P04",
  slug: "perf/payload",
  profile: "performance",
  level: "INFO",
  because: "practice",
  rules: ["R-REF-04", "R-EXEC-14"],
  needs: ["sample"],
  holds:
    "How time and memory grow with the size of an inline input, up to 8 MiB, is told, and within its budget",
  consequence: "A pipeline that works with test data stands still, or is killed, with data of real size.",
  fix: "Decode base64 in one go, append to lists rather than to texts, and hand large data on as http or file references.",
  timing: true,
  destructive: true,
  turn: "late",
  async run(t) {
    await measure(t, "P04", () => measurePayloads(t), {
      "rss.payload": "let the harness start the service: --spawn 'COMMAND'",
    });
  },
});

async function measurePayloads(t: CaseContext): Promise<Measured> {
  const before = await t.spawned?.rss();
  let peak = before;
  const watch = setInterval(async () => {
    const now = await t.spawned?.rss();
    if (now !== undefined && peak !== undefined) peak = Math.max(peak, now);
  }, 20);
  const times: [size: number, ms: number][] = [];
  const until = performance.now() + Math.max(1500, t.scaled(10_000));
  try {
    for (const size of sizes) {
      if (performance.now() > until) break;
      const took_ms = await timeOf(t, size);
      // Refused for its size: what is smaller tells enough.
      if (took_ms === undefined) break;
      times.push([size, took_ms]);
    }
  } finally {
    clearInterval(watch);
  }
  const [base, ...rest] = times;
  const large = rest.filter(([size]) => size >= mebibyte);
  const [one, half, whole] = [large[0], large.at(-2), large.at(-1)];
  const measured: Measured = {};
  if (one !== undefined && whole !== undefined && whole[0] > one[0]) {
    measured["slope.payload"] = Math.max(0, (whole[1] - one[1]) / ((whole[0] - one[0]) / mebibyte));
  }
  if (base !== undefined && half !== undefined && whole !== undefined && half[1] > base[1]) {
    const growth = Math.max(1, whole[1] - base[1]) / (half[1] - base[1]);
    measured["exponent.payload"] = Math.max(0, Math.log2(growth) / Math.log2(whole[0] / half[0]));
  }
  if (before !== undefined && peak !== undefined) measured["rss.payload"] = peak - before;
  return measured;
}

/** The shortest of three, of one where that is long already; undefined where it is refused. */
async function timeOf(t: CaseContext, size: number): Promise<number | undefined> {
  const sample = lightSample(t) ?? t.sample();
  const uri = Buffer.from(JSON.stringify({ x: "a".repeat(size) })).toString("base64");
  const inputs = [{ protocol: "inline", uri, format: "json" }];
  let best: number | undefined;
  for (let again = 0, sum = 0; again < 3 && sum < enough_ms; again++) {
    const body = t.requestOf(sample, { override: { inputs } });
    const exchange = await t.send({ method: "POST", path: "/control/execute", body, brief: true });
    const { reply, sent_at, ended_at } = exchange;
    // What the method makes of such an input is its own business.
    if (reply === undefined || reply.status >= 400) return undefined;
    const took_ms = ended_at - sent_at;
    sum += took_ms;
    best = Math.min(best ?? took_ms, took_ms);
    if (reply.body.length < kibibyte) await drain(t, sample, [exchange]);
  }
  return best;
}
