/** Measures how long it takes until the suite tells the first thing that is wrong, for every tenth broken service. */
import { performance } from "node:perf_hooks";
import { runSuite } from "@aieffect/conformance";
import { mutants, pristineSamples, startPristine } from "@aieffect/conformance/zoo";

const took: { id: string; ms: number; first: string }[] = [];
for (const mutant of mutants.filter((_mutant, at) => at % 10 === 0)) {
  // In real time, as a user meets it.
  const service = await startPristine({ ...mutant.service, hooks: mutant.fault(() => {}) });
  const stop = new AbortController();
  const began = performance.now();
  let found: { ms: number; first: string } | undefined;
  try {
    await runSuite({
      url: service.url(),
      token: service.token,
      share: service.share,
      samples: pristineSamples(),
      fail_fast: true,
      signal: stop.signal,
      settings: { seed: 1 },
      onEvent(event) {
        if (event.type !== "case.end" || found !== undefined) return;
        const { status, case: one } = event.result;
        if (status !== "fail" && status !== "warn") return;
        found = { ms: performance.now() - began, first: one.id };
        stop.abort();
      },
    });
  } finally {
    await service.close();
  }
  if (found === undefined) console.log(`${mutant.id}: nothing is found`);
  else took.push({ id: mutant.id, ...found });
  console.log(`${mutant.id}: ${found?.first ?? "none"} after ${Math.round(found?.ms ?? 0)} ms`);
}
const sorted = took.map(({ ms }) => ms).toSorted((one, other) => one - other);
const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
console.log(
  `first finding: median ${at(0.5)} ms, slowest ${at(1)} ms, over ${sorted.length} broken services`,
);
