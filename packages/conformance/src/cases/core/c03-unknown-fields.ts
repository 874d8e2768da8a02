import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { DriveOptions } from "../../engine/drive.ts";
import type { Sample } from "../../target/sample.ts";
import { endOf, nameOf, runAlone } from "../alone.ts";
import { oneOfEachStyle, patience } from "../prerequisites.ts";

const member = { "x-unknown": { deep: [1, null, "text"] }, unknown_member: true };
const headers = { "x-unknown-header": "1", traceparent: `00-${"ab".repeat(16)}-${"cd".repeat(8)}-01` };

export const unknownFields = defineCase({
  id: "C03",
  slug: "core/unknown-fields",
  profile: "core",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-GEN-03"],
  needs: ["sample"],
  holds:
    "Members that the service does not know, in the request and in its inputs, and unknown headers are ignored",
  consequence:
    "With the first orchestrator that sends a field more, every task fails, although the service has all that it needs.",
  fix: 'Ignore what you do not know: no `extra="forbid"` in pydantic, no `additionalProperties: false`, no list of allowed headers.',
  async run(t) {
    for (const sample of oneOfEachStyle(t)) {
      const run = await t.run(sample, {
        ...everywhere(t, sample),
        max_duration_ms: patience(t, sample),
      });
      // What goes on for longer was taken, too.
      if (run.end === "complete" || run.end === "stuck") {
        t.check(true, "E_EXTRA_REFUSED", { expected: "", found: "" });
        continue;
      }
      if (run.end !== "failed" && run.end !== "refused") {
        t.untestable(`${nameOf(sample)} does not end as it should (${endOf(run)}) : see C05, T07 and T09`);
      }
      const alone = await runAlone(t, sample);
      if (alone.end !== "complete") t.untestable(`${nameOf(sample)} fails (${endOf(alone)}) : see C02`);
      t.check(false, "E_EXTRA_REFUSED", {
        expected: `${nameOf(sample)} to complete with unknown members and headers as it does without`,
        found: endOf(run),
        at: [run.execute, run.last],
      });
    }
  },
});

function everywhere(t: CaseContext, sample: Sample): DriveOptions {
  const inputs = (t.requestOf(sample).inputs as Record<string, unknown>[]).map((input) => ({
    ...input,
    ...member,
  }));
  return { override: { ...member, inputs }, headers };
}
