/** Measures how long it takes until the suite tells the first thing that is wrong, for broken services of every kind. */
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { runSuite } from "@aieffect/conformance";
import { mutants, pristineSamples, startPristine } from "@aieffect/conformance/zoo";

const { values } = parseArgs({
  options: {
    /** Every so many of the broken services. */
    every: { type: "string", default: "10" },
    /** So many at once: they mostly wait. */
    jobs: { type: "string", default: "2" },
  },
});
const goal_ms = 5000;

interface Took {
  id: string;
  breaks: string;
  ms: number;
  first: string;
}

const took: Took[] = [];
// One that is a process of its own takes its fault from there.
const left = mutants.filter((mutant, at) => at % Number(values.every) === 0 && mutant.spawned === undefined);

async function work(): Promise<void> {
  for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
    const { id, breaks } = mutant;
    // In real time, as a user meets it.
    const service = await startPristine({ ...mutant.service, hooks: mutant.fault(() => {}) });
    const stop = new AbortController();
    const began = performance.now();
    let found: Took | undefined;
    try {
      await runSuite({
        url: service.url(),
        token: service.token,
        share: service.share,
        samples: pristineSamples(),
        fail_fast: true,
        signal: stop.signal,
        settings: { seed: 1, ...mutant.settings },
        onEvent(event) {
          if (event.type !== "case.end" || found !== undefined) return;
          const { status, case: one, findings } = event.result;
          const isTold = status === "info" && findings.some(({ code }) => code === mutant.code);
          if (status !== "fail" && status !== "warn" && !isTold) return;
          found = { id, breaks, ms: performance.now() - began, first: one.id };
          stop.abort();
        },
      });
    } finally {
      await service.close();
    }
    if (found === undefined) console.log(`${id} (${breaks}): nothing is found`);
    else took.push(found);
    console.log(`${id} (${breaks}): ${found?.first ?? "none"} after ${Math.round(found?.ms ?? 0)} ms`);
  }
}

await Promise.all(Array.from({ length: Number(values.jobs) }, work));
const sorted = took.toSorted((one, other) => one.ms - other.ms);
const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)]?.ms ?? 0);
const soon = sorted.filter(({ ms }) => ms < goal_ms);
console.log(`later than ${goal_ms / 1000} s:`);
for (const { id, breaks, first, ms } of sorted.slice(soon.length)) {
  console.log(`  ${id} (${breaks}): ${first} after ${(ms / 1000).toFixed(1)} s`);
}
console.log(
  `first finding: median ${at(0.5)} ms, within ${goal_ms / 1000} s in ${soon.length} of ${sorted.length} broken services, slowest ${at(1)} ms`,
);
