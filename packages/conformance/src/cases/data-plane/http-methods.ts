import type { CaseContext } from "../../engine/context.ts";
import type { Run } from "../../engine/drive.ts";
import type { Sample } from "../../target/sample.ts";
import type { History } from "../../wire/exchange.ts";
import { endOf, nameOf, runAlone } from "../alone.ts";
import { declaresHttp, hostInputs, inputBytes, passesOn, samplesWithInputs } from "./inputs.ts";

/** What became of a sample whose inputs the harness served at plain URLs. */
export interface HostedRun {
  sample: Sample;
  bytes: readonly Buffer[];
  run: Run;
  /** Whether the service came for any of the inputs before the task had ended. */
  fetched: boolean;
}

/** Every method with inputs, tried once, and why some could not be. */
export interface HttpMethods {
  taken: readonly HostedRun[];
  /** Said to take inputs over HTTP, came for them, and did not complete. */
  broken: readonly HostedRun[];
  /** Why each of the others could not be tried, or need not. */
  without: readonly string[];
  /** One that should have come did not: it may not reach the harness. */
  unreached: boolean;
}

const known = new WeakMap<History, Promise<HttpMethods>>();

/** Which methods take inputs over HTTP; tried once in a run. Ends the case where none does. */
export async function httpMethods(t: CaseContext): Promise<HttpMethods> {
  const methods = known.get(t.history) ?? tryMethods(t);
  known.set(t.history, methods);
  const { taken, broken, without, unreached } = await methods;
  if (taken.length + broken.length > 0) return methods;
  if (!unreached) t.notApplicable(`no method takes inputs over HTTP: ${without.join("; ")}`);
  return t.untestable(
    `the service did not come for its input at ${t.fixtures.origin}; say under which name it reaches this machine: --fixture-host NAME (${without.join("; ")})`,
  );
}

async function tryMethods(t: CaseContext): Promise<HttpMethods> {
  const taken: HostedRun[] = [];
  const broken: HostedRun[] = [];
  const without: string[] = [];
  let unreached = false;
  for (const sample of samplesWithInputs(t)) {
    const alone = await runAlone(t, sample);
    if (alone.end !== "complete") {
      without.push(`${nameOf(sample)} does not complete: ${endOf(alone)}`);
      continue;
    }
    const bytes = await inputBytes(t, sample);
    if (bytes === undefined) {
      without.push(`the inputs of ${nameOf(sample)} cannot be read here`);
      continue;
    }
    const { inputs, targets } = hostInputs(t, sample, bytes, (ending) => ({
      name: `${t.id("input")}-${ending}`,
    }));
    const run = await t.run(sample, { override: { inputs } });
    const fetched = t.fixtures.requests.some((request) => targets.includes(request));
    const hosted = { sample, bytes, run, fetched };
    if (run.end === "complete" && !fetched && passesOn(run)) {
      without.push(`${sample.method} passes its input on unread`);
    } else if (run.end === "complete") taken.push(hosted);
    else if (declaresHttp(t, sample.method) && fetched) broken.push(hosted);
    else {
      without.push(`${nameOf(sample)} with its input at a URL: ${endOf(run)}`);
      unreached ||= declaresHttp(t, sample.method);
    }
  }
  return { taken, broken, without, unreached };
}
