import {
  checkReference,
  type DataReference,
  type Problem,
  type PythonValue,
  parsePythonJson,
} from "@aieffect/control-interface";
import type { Code } from "../../codes/codes.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Run } from "../../engine/drive.ts";
import type { Sample } from "../../target/sample.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { endOf, nameOf, runAlone } from "../alone.ts";

/** The output of one sample, as it was answered. */
export interface Output {
  sample: Sample;
  run: Run;
  /** The reply that carries it. */
  exchange: Exchange;
  /** Before anything was checked; its integers are bigints. */
  raw: unknown;
  /** Undefined where the deployed orchestrator does not take it. */
  reference: DataReference | undefined;
  problems: readonly Problem[];
}

/** The outputs of one sample of each method, run alone. Ends the case where there are none. */
export async function outputsOf(t: CaseContext): Promise<Output[]> {
  const outputs: Output[] = [];
  const without: string[] = [];
  for (const sample of t.samples()) {
    const run = await runAlone(t, sample);
    const exchange = run.output_call ?? run.execute;
    const raw = rawOutput(exchange);
    if (raw == null) {
      if (!(sample.sink && run.end === "complete")) without.push(`${nameOf(sample)} ${endOf(run)}`);
      continue;
    }
    outputs.push({ sample, run, exchange, raw, reference: undefined, ...checkReference(raw) });
  }
  if (outputs.length > 0) return outputs;
  if (without.length === 0) t.notApplicable("every method of the manifest is a sink");
  return t.untestable(`no sample has an output (see C02, T07): ${without.join("; ")}`);
}

function rawOutput({ reply, kind }: Exchange): unknown {
  if (reply === undefined || reply.status >= 400) return undefined;
  let body: PythonValue;
  try {
    body = parsePythonJson(reply.body);
  } catch {
    // C05 and T09 say so.
    return undefined;
  }
  if (body === null || typeof body !== "object" || Array.isArray(body)) return undefined;
  return kind === "output" || body.status === "complete" ? body.output : undefined;
}

/** The protocol that a reference names, whether there is one of that name or not. */
export function protocolOf(raw: unknown): string {
  const protocol = raw !== null && typeof raw === "object" && "protocol" in raw ? raw.protocol : undefined;
  return typeof protocol === "string" ? protocol : "";
}

/** Checks outputs against those rules of references that a case is about: `codeOf` gives undefined for the others. */
export function judgeOutputs(
  t: CaseContext,
  outputs: readonly Output[],
  codeOf: (problem: Problem, output: Output) => Code | undefined,
): void {
  for (const output of outputs) {
    const own = output.problems.flatMap((problem) => {
      const code = codeOf(problem, output);
      return code === undefined ? [] : [{ code, problem }];
    });
    if (own.length === 0) t.check(true, "E_REFERENCE_INVALID", { expected: "", found: "" });
    for (const { code, problem } of own) {
      const [, expected = "", found = problem.message] =
        /^Expected (.*), found (.*)$/s.exec(problem.message) ?? [];
      t.check(false, code, {
        expected: `${expected} (${nameOf(output.sample)})`,
        found,
        at: output.exchange,
      });
    }
  }
}
