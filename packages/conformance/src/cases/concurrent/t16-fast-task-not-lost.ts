import { defineCase } from "../../engine/case.ts";
import { begin, longestOf, observe } from "./observe.ts";

/** So many tasks, and so many at once. */
const tasks = 50;
const atOnce = 5;
/** With samples that take longer there are fewer, so that all of them take about this time. */
const total_ms = 10_000;

export const fastTaskNotLost = defineCase({
  id: "T16",
  slug: "conc/fast-task-not-lost",
  profile: "concurrent",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-STAT-05", "R-RUN-02"],
  needs: ["sample"],
  holds: "Of 50 tasks that end almost at once none stays `running`",
  consequence:
    "Work that is quicker than its own registration is reported as running for ever: the workflow never finishes, once in a while.",
  fix: "Register the task as running before its work begins; let nothing overwrite `complete` or `failed`.",
  stochastic: true,
  turn: "soon",
  async run(t) {
    const sample = t.sample();
    const began = performance.now();
    const alone = await begin(t, sample);
    if (alone.handle === undefined) return t.untestable(alone.problem);
    const first = await observe(t, sample, alone);
    isNotLost(first);
    // The answer to execute may take its time, too.
    const each_ms = Math.max(performance.now() - began, 1);
    const fits = Math.floor((total_ms / each_ms) * atOnce);
    const count = Math.max(5, Math.min(tasks, fits));
    // Far more than one took alone, far less than the minute that a sample may take.
    const patience = t.scaled(5000) + 10 * first.took_ms;
    const longest_ms = Math.min(longestOf(t, sample), Math.max(patience, 1500));
    let started = 1;
    const work = async () => {
      while (started < count) {
        started++;
        const begun = await begin(t, sample);
        // A queue may be full: that is not what is looked for.
        if (begun.handle === undefined) continue;
        isNotLost(await observe(t, sample, begun, { longest_ms }));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    t.note(`${count} tasks of about ${Math.round(each_ms)} ms`);

    function isNotLost({ end, took_ms, execute, polls }: typeof first) {
      if (end === "lost") return t.untestable("a status could not be read: see T04");
      t.require(end !== "stuck", "E_LOST_COMPLETION", {
        expected: "every task to end",
        found: `one that runs after ${Math.round(took_ms)} ms`,
        at: [execute, polls.at(-1)],
      });
    }
  },
});
