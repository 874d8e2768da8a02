import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { endOf, nameOf, runAlone } from "../alone.ts";
import { type HostedRun, httpMethods } from "./http-methods.ts";
import { hostInputs, inputBytes } from "./inputs.ts";

/** Escapes that no honest client changes: as URLs that object stores sign have them. */
const query = "?X-Amz-Credential=AKIA%2F20260101%2Fs3&X-Amz-Signature=a%2Bb%3D%3D&n=1%252";

export const httpInput = defineCase({
  id: "D07",
  slug: "data/http-input",
  profile: "data-plane",
  level: "MUST",
  because: "data",
  rules: ["R-REF-05", "R-REF-16"],
  needs: ["sample", "fixtures"],
  holds: "An input over HTTP is fetched under exactly its URL, query and escapes included, and used",
  consequence:
    "Signed URLs answer 403 when one character is missing; and a service that overlooks its input computes something else than it was asked for.",
  fix: "Hand the uri to the HTTP client as it is, and work with the bytes of its answer.",
  async run(t) {
    const { taken, broken } = await httpMethods(t);
    for (const { sample, run } of broken) {
      t.check(false, "E_INPUT_REFUSED", {
        expected: `${nameOf(sample)} to complete with its input at ${firstUri(run.execute.request.body)}`,
        found: endOf(run),
        at: [run.execute, run.last],
      });
    }
    for (const hosted of taken) {
      await judgeUse(t, hosted);
      if (hosted.fetched) await judgeUrl(t, hosted);
    }
  },
});

/** The same request with a URL that is easily spoilt. */
async function judgeUrl(t: CaseContext, { sample, bytes }: HostedRun): Promise<void> {
  const id = t.id("input");
  const { inputs, targets } = hostInputs(t, sample, bytes, (ending) => ({
    name: `${id} 100%20 \u00e4-${ending}`,
    query,
  }));
  const run = await t.run(sample, { override: { inputs } });
  const asked = t.fixtures.requests.filter((request) => request.includes(id));
  for (const target of targets) {
    const isMeant = t.check(
      asked.some((one) => meaning(one) === meaning(target)),
      "E_INPUT_URL_CHANGED",
      {
        expected: `GET ${target}`,
        found: asked.length === 0 ? `no request; ${endOf(run)}` : asked.map((one) => `GET ${one}`).join(", "),
        at: run.execute,
      },
    );
    if (!isMeant) continue;
    t.check(asked.includes(target), "E_INPUT_URL_CHANGED", {
      level: "SHOULD",
      expected: `GET ${target}, to the letter: some signatures count letters`,
      found: asked.map((one) => `GET ${one}`).join(", "),
      at: run.execute,
    });
    t.check(run.end === "complete", "E_INPUT_REFUSED", {
      expected: `${nameOf(sample)} to complete with its input at ${target}, as it does at a plain URL`,
      found: endOf(run),
      at: [run.execute, run.last],
    });
  }
}

/** Whether what is at the URL has the influence that the same input has elsewhere. */
async function judgeUse(t: CaseContext, { sample, run, fetched }: HostedRun): Promise<void> {
  const hosted = await t.outputOf(run);
  const alone = await t.outputOf(await runAlone(t, sample));
  if (hosted.fingerprint === undefined || alone.fingerprint === undefined) return;
  // Also where the reference is only passed on, and its bytes come from here.
  if (hosted.fingerprint === alone.fingerprint) {
    if (fetched) t.check(true, "E_INPUT_IGNORED", { expected: "", found: "" });
    return;
  }
  const isFetched = t.check(fetched, "E_INPUT_NOT_FETCHED", {
    expected: `${nameOf(sample)} to fetch ${firstUri(run.execute.request.body)}`,
    found: "complete, with another output than when the same input is not at a URL, and no request came",
    at: [run.execute, run.last],
  });
  if (!isFetched) return;
  // Outputs may tell where their input was. Then other bytes have to make a difference.
  for (const other of t.all_samples) {
    if (other.method !== sample.method || other.inputs.length !== sample.inputs.length) continue;
    if (other.name === sample.name || other.expect !== "complete") continue;
    const bytes = await inputBytes(t, other);
    if (bytes === undefined) continue;
    const { inputs } = hostInputs(t, sample, bytes, (ending) => ({ name: `${t.id("input")}-${ending}` }));
    const changed = await t.run(sample, { override: { inputs } });
    const { fingerprint } = await t.outputOf(changed);
    t.check(fingerprint === undefined || fingerprint !== hosted.fingerprint, "E_INPUT_IGNORED", {
      expected: `${nameOf(sample)} to have another output with the inputs of ${nameOf(other)}`,
      found: "the same output, which is none that it has when its input is not at a URL",
      at: [run.execute, changed.execute, changed.last],
    });
    return;
  }
}

/** A request line without its spelling. */
function meaning(target: string): string {
  const [path = "", search] = target.split("?", 2);
  try {
    const parts = [path.split("/"), search?.split("&") ?? []];
    return JSON.stringify(parts.map((part) => part.map(decodeURIComponent)));
  } catch {
    return target;
  }
}

function firstUri(body: Buffer): string {
  return JSON.parse(body.toString()).inputs[0].uri;
}
