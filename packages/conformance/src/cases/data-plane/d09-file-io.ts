import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import type { DataReference } from "@aieffect/control-interface";
import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Sample } from "../../target/sample.ts";
import { nameOf } from "../alone.ts";
import { inputsOf, judgeRefusal, passesOn, samplesWithInputs, withFirstInput } from "./inputs.ts";
import { outputsOf } from "./outputs.ts";

export const fileIo = defineCase({
  id: "D09",
  slug: "data/file-io",
  profile: "data-plane",
  level: "MUST",
  because: "data",
  rules: ["R-REF-18", "R-RUN-06"],
  needs: ["sample"],
  holds:
    "An output file is on the shared storage when the task is complete; an input file that is missing fails the task; `..` leads nowhere",
  consequence:
    "The next service finds no file; or the workflow completes with the result of a file that is not there; or a request reads files that are none of its business.",
  fix: "Write to the shared folder and close the file before `complete`; let open() fail the task; refuse paths that leave the folder.",
  async run(t) {
    const outputs = await outputsOf(t);
    const files = outputs.flatMap(({ sample, reference, exchange }) =>
      reference?.protocol === "file" ? [{ sample, reference, exchange }] : [],
    );
    for (const { sample, reference, exchange } of files) {
      const where = await findFile(t, reference);
      if (where === "unknown") continue;
      t.check(where === "shared", "E_FILE_MISSING", {
        expected: `${nameOf(sample)} to have written ${reference.uri} to the shared storage`,
        found: where === "elsewhere" ? `it is outside of ${t.share}` : "there is no such file",
        at: exchange,
      });
    }
    const samples = t.all_samples.some(({ inputs }) => inputs.length > 0) ? samplesWithInputs(t) : [];
    for (const sample of samples) {
      const known = files[0]?.reference.uri;
      await judgeMissing(t, sample, known);
      await judgeTraversal(t, sample, known);
    }
    if (files.length === 0 && samples.length === 0) {
      t.notApplicable("no sample of the manifest has inputs, or an output that is a file");
    }
    if (files.length > 0 && t.share === undefined) {
      t.untestable(
        "outputs are files, and the harness does not see them; add to conformance.yaml: data: {share: ./the/folder}",
      );
    }
  },
});

async function findFile(
  t: CaseContext,
  reference: DataReference,
): Promise<"shared" | "elsewhere" | "nowhere" | "unknown"> {
  if (t.share === undefined) return "unknown";
  const { bytes } = await t.payload(reference);
  if (bytes === undefined) return "nowhere";
  const path = reference.uri.replace(/^file:\/\//, "");
  // A path of the service's own that means something else here was found under the share.
  const isHere = await stat(path).catch(() => undefined);
  return isHere && relative(t.share, path).startsWith("..") ? "elsewhere" : "shared";
}

/** A folder in which the service may look for files. */
function folderOf(t: CaseContext, sample: Sample, known: string | undefined): string {
  const own = inputsOf(t, sample).find(({ protocol }) => protocol === "file")?.uri;
  return dirname(String(own ?? known ?? "/data/x"));
}

async function judgeMissing(t: CaseContext, sample: Sample, known: string | undefined): Promise<void> {
  const uri = `${folderOf(t, sample, known)}/${t.id("missing")}`;
  const run = await t.run(sample, { override: withFirstInput(t, sample, { protocol: "file", uri }) });
  if (!passesOn(run)) judgeRefusal(t, run, `the file ${uri}, which there is not`);
}

/** A file that could be used, outside of the shared storage; only where the service runs on this machine it can be found. */
async function judgeTraversal(t: CaseContext, sample: Sample, known: string | undefined): Promise<void> {
  const { protocol, uri, format } = inputsOf(t, sample)[0] ?? {};
  const read = await t.payload({ protocol, uri, format } as DataReference);
  if (read.bytes === undefined) return;
  const folder = await mkdtemp(join(tmpdir(), "aieffect-outside-"));
  try {
    const file = join(folder, `input.${format}`);
    await writeFile(file, read.bytes);
    const from = folderOf(t, sample, known);
    const up = "../".repeat(resolve(from).split("/").length + 8);
    const path = `${from}/${up}${file.slice(1)}`;
    const run = await t.run(sample, { override: withFirstInput(t, sample, { protocol: "file", uri: path }) });
    t.check(run.end !== "complete" || passesOn(run), "E_FILE_OUTSIDE", {
      level: "SHOULD",
      expected: `4xx, or failed, for the file ${path} (${nameOf(sample)})`,
      found: "complete: the file was read",
      at: [run.execute, run.last],
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
