import { defineCase } from "../../engine/case.ts";
import { readAs } from "../../engine/drive.ts";
import { wordOf } from "./observe.ts";
import { completeOf } from "./watch.ts";

/** For so long a result has to stay (R-RUN-09); what is declared beyond is a SHOULD. */
const must_ms = 60_000;

export const retention = defineCase({
  id: "T14",
  slug: "conc/retention",
  profile: "concurrent",
  level: "MUST",
  because: "data",
  rules: ["R-RUN-09", "R-DATA-01"],
  needs: ["slow"],
  holds: "Status, output and payload stay readable after the end: for 60 s, or as long as --retention says",
  consequence:
    "The orchestrator polls every 5 s and the next service fetches when it is its turn: a result that is gone by then fails the workflow.",
  fix: "Keep ended tasks with their payloads for 24 hours, at least for 60 s, also when they were read already.",
  timing: true,
  turn: "late",
  async run(t) {
    const { seen, hasPayload } = await completeOf(t);
    const { handle, ended, output: first } = seen;
    const reference = readAs(first, "output")?.output;
    if (reference === undefined) return t.untestable("its output cannot be read once: see T09");
    const { retention_ms } = t.settings;
    for (const after_ms of retention_ms > must_ms ? [must_ms, retention_ms] : [retention_ms]) {
      const level = after_ms > must_ms ? ("SHOULD" as const) : ("MUST" as const);
      const wait_ms = ended.ended_at + t.scaled(after_ms) - t.history.now();
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, wait_ms)));
      const say = (what: string, found: string) => ({
        level,
        expected: `${what} ${after_ms / 1000} s after the end`,
        found,
        at: [ended],
      });
      const status = await t.status(handle);
      const word = wordOf(status);
      const found = `${t.replied(status).status}: ${status.reply?.body.toString().slice(0, 200)}`;
      t.require(word === "complete", word === undefined ? "E_VANISHED" : "E_REGRESSED", {
        ...say("complete, still", found),
        at: [ended, status],
      });
      const output = await t.output(handle);
      const reply = t.replied(output);
      t.require(reply.status < 400, "E_VANISHED", {
        ...say("the output, still", `${reply.status}: ${reply.body.toString().slice(0, 200)}`),
        at: [first, output],
      });
      // One that could not be read to begin with is the data plane's business.
      if (!hasPayload) continue;
      const { bytes, problem, exchange } = await t.payload(reference);
      t.require(bytes !== undefined, "E_VANISHED", {
        ...say(`the payload at ${reference.uri}, still,`, problem ?? ""),
        at: [first, exchange],
      });
    }
    const seconds = retention_ms / 1000;
    t.note(
      retention_ms < must_ms
        ? `readable ${seconds} s after the end; the 60 s of the rule are tested with --retention 60s`
        : `readable ${seconds} s after the end`,
    );
  },
});
