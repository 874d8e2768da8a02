import { createInlineReference } from "@aieffect/control-interface";
import { createProtobufPlane } from "@aieffect/data-plane-protobuf";
import { type Demo, toCount } from "@aieffect/local-run";
import { paths } from "./paths.ts";
import { fetchReport, toReportText } from "./report.ts";

/** Where the services listen. */
const host = "127.0.0.1";

/** The protobuf-based energy pipeline on one machine. */
export const demo: Demo = {
  title: "Protobuf-based energy pipeline",
  ...paths,
  extra: { PEER_HOSTS: host },
  options: ["records", "seed"],
  help: `Runs the protobuf-based energy pipeline on this machine: four services that hand typed messages
on over gRPC, an orchestrator, one workflow.

Usage: npm run demo -- --pipeline protobuf [options]

  --records N      generate N readings and analyse them (default: 50)
  --seed N         the same seed gives the same readings and the same report (default: 2025)
  --keep           leave everything running until Ctrl-C, to submit further workflows
  --json           end with one line of JSON on standard output; the rest goes to standard error
  --data-dir DIR   where results and logs go (default: the use case's data folder)
  --help           this text

From 1,000,000 readings on, the services work concurrently and report their progress;
EXECUTION_STYLE=sequential or concurrent in the environment decides otherwise.
Exit codes: 0 done, 1 the workflow failed, 2 wrong usage, 130 interrupted.
`,
  toInput({ values: { records = "50", seed = "2025" } }) {
    const num_records = toCount("records", records, 50_000_000);
    const configuration = { num_records, seed: toCount("seed", seed, 2 ** 32 - 1) };
    return {
      reference: createInlineReference(JSON.stringify(configuration), "json"),
      description: `${num_records} readings to be generated, with seed ${configuration.seed}`,
      is_long: num_records >= 1_000_000,
    };
  },
  async toResult(outcome, { services_api_key }) {
    const peer_keys = services_api_key === undefined ? {} : { [host]: services_api_key };
    const plane = createProtobufPlane({ peer_keys });
    try {
      const { report, file } = await fetchReport(outcome, plane);
      const fields = { report: file, summary: report.summary };
      return { text: toReportText(report), files: [["Report", file]], fields };
    } finally {
      await plane.stop(0);
    }
  },
};
