import { it } from "vitest";
import { catalogue } from "../cases/catalogue.ts";
import { runAgainst } from "./judge-mutant.ts";

it("times", async () => {
  const results = await runAgainst(
    { ...(process.env.REAL ? { time_scale: 1 } : {}) },
    catalogue.filter((c) => !process.env.CASE || c.id.startsWith(process.env.CASE)),
    process.env.REAL ? { time_scale: 1, poll_interval_ms: 100 } : {},
  );
  for (const r of results)
    console.log(
      r.case.id,
      r.status,
      Math.round(r.duration_ms),
      r.reason ?? "",
      JSON.stringify(r.findings.map((f) => [f.code, f.found])),
    );
}, 120000);
