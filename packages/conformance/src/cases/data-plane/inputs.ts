import type { CaseContext } from "../../engine/context.ts";
import type { Run } from "../../engine/drive.ts";
import type { Sample } from "../../target/sample.ts";

/** A reference as a request carries it. */
export type Input = Readonly<Record<string, unknown>>;

/** The inputs of a sample's request. */
export function inputsOf(t: CaseContext, sample: Sample): readonly Input[] {
  return t.requestOf(sample).inputs as Input[];
}

/** The quickest sample with inputs of each method. Ends the case where there is none. */
export function samplesWithInputs(t: CaseContext): readonly Sample[] {
  const found = new Map<string, Sample>();
  for (const sample of t.all_samples) {
    if (sample.inputs.length === 0 || sample.expect !== "complete") continue;
    const known = found.get(sample.method);
    if (known === undefined || sample.at_least_ms < known.at_least_ms) found.set(sample.method, sample);
  }
  if (found.size > 0) return [...found.values()];
  const declares = t.operations?.operations.some(({ inputs }) => Array.isArray(inputs) && inputs.length > 0);
  if (!declares) t.notApplicable("no sample of the manifest has inputs");
  return t.untestable(
    "the service declares inputs and no sample has any; add to conformance.yaml: samples: {a: {inputs: [{protocol: inline, uri: !json {x: 1}, format: json}]}}",
  );
}

/** A request as the sample's, with its first input changed; what was true of the old bytes is taken away. */
export function withFirstInput(
  t: CaseContext,
  sample: Sample,
  change: Input,
): Readonly<Record<string, unknown>> {
  const [first, ...rest] = inputsOf(t, sample);
  return { inputs: [{ ...first, size_bytes: null, checksum: null, ...change }, ...rest] };
}

/** Whether a task's output is the reference that it was given: passed on, and read by whoever comes next. */
export function passesOn({ reference, execute }: Run): boolean {
  const { inputs } = JSON.parse(execute.request.body.toString()) as { inputs: Input[] };
  return reference !== undefined && inputs.some(({ uri }) => uri === reference.uri);
}

/**
 * Checks that a task did not make a result of an input that cannot be read: refused with 4xx, or
 * failed. One that ends in another way is the business of the cases about that.
 */
export function judgeRefusal(t: CaseContext, run: Run, input: string): void {
  const { reply } = run.last;
  if (reply === undefined) return void t.replied(run.last);
  t.check(run.end !== "complete", "E_BAD_INPUT_ACCEPTED", {
    expected: `4xx, or failed, for ${input} (${run.sample.method})`,
    found: "complete",
    at: [run.execute, run.last],
  });
  t.check(reply.status < 500, "E_SERVER_ERROR", {
    expected: `4xx, or failed, for ${input} (${run.sample.method})`,
    found: `${reply.status}`,
    at: run.last,
  });
}

/** The bytes of every input of a sample; undefined where the harness cannot read one. */
export async function inputBytes(t: CaseContext, sample: Sample): Promise<Buffer[] | undefined> {
  const all: Buffer[] = [];
  for (const { protocol, uri, format } of inputsOf(t, sample)) {
    const hosted = t.fixtures.at(String(uri));
    const { bytes } =
      hosted ??
      (await t.payload({ protocol, uri, format } as Parameters<CaseContext["payload"]>[0]).catch(() => ({
        bytes: undefined,
      })));
    if (bytes === undefined) return undefined;
    all.push(bytes);
  }
  return all;
}

/** Hosts bytes as the inputs of a sample's request; gives back the inputs, and the paths to be asked for. */
export function hostInputs(
  t: CaseContext,
  sample: Sample,
  bytes: readonly Buffer[],
  urlOf: (ending: string) => { name: string; query?: string },
): { inputs: Input[]; targets: string[] } {
  const targets: string[] = [];
  const inputs = inputsOf(t, sample).map((input, at) => {
    const format = String(input.format);
    const { name, query } = urlOf(`${at}.${format}`);
    t.fixtures.add(name, { bytes: bytes[at] ?? Buffer.alloc(0), media_type: mediaType(format) });
    const uri = t.fixtures.urlOf(name, query);
    targets.push(uri.slice(t.fixtures.origin.length));
    return { ...input, protocol: "http", uri };
  });
  return { inputs, targets };
}

/** The media type that a format is hosted with. */
export function mediaType(format: string): string {
  if (format === "json" || format === "xml") return `application/${format}`;
  return format === "csv" ? "text/csv" : "application/octet-stream";
}

/** Whether a method is said to take inputs over HTTP: by itself, or by one of its samples. */
export function declaresHttp(t: CaseContext, method: string): boolean {
  const declared = t.operations?.operations.find(({ name }) => name === method)?.inputs;
  const lists = (Array.isArray(declared) ? declared : []).flatMap((input) => input?.protocols ?? []);
  const sampled = t.all_samples
    .filter((sample) => sample.method === method && sample.expect === "complete")
    .flatMap(({ inputs }) => inputs.map(({ protocol }) => protocol));
  return [...lists, ...sampled].includes("http");
}
