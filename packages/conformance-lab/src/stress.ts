/**
 * Judges a right service again and again while every processor is kept busy: whatever a machine is
 * at, no case may fail.
 *
 *   npm run -s conformance:stress -- [runs]
 */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { runSuite } from "@aieffect/conformance";
import { pristineSamples, startPristine } from "@aieffect/conformance/zoo";
import { labScale, labSettings, shortcomings } from "./judge.ts";

const runs = Number(process.argv[2] ?? 50);
if (!Number.isInteger(runs) || runs < 1) {
  console.error(`Expected a number of runs, found ${process.argv[2]}`);
  process.exit(64);
}
const busy = Array.from({ length: availableParallelism() }, () =>
  fork(fileURLToPath(new URL("services/busy.js", import.meta.url))),
);
let red = 0;
let cases = 0;
let inconclusive = 0;
const began = performance.now();
try {
  for (let run = 1; run <= runs; run++) {
    const token = run % 2 === 0 ? "a-token-of-the-lab" : undefined;
    const service = await startPristine({ time_scale: labScale, token });
    try {
      const report = await runSuite({
        url: service.url(),
        token,
        share: service.share,
        samples: pristineSamples(),
        settings: { ...labSettings, seed: run },
      });
      const wrong = shortcomings(report);
      if (wrong.length > 0) red++;
      for (const line of wrong) console.log(`run ${run}: ${line}`);
      cases += report.results.length;
      inconclusive += report.counts.inconclusive;
    } finally {
      await service.close();
    }
    if (run % 5 === 0 || run === runs) {
      const seconds = Math.round((performance.now() - began) / 1000);
      console.log(
        `${run} of ${runs} runs, ${red} with a false failure, ${inconclusive} of ${cases} cases inconclusive (${seconds} s)`,
      );
    }
  }
} finally {
  for (const child of busy) child.kill();
}
process.exitCode = red === 0 ? 0 : 1;
