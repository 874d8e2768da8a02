import type { FixtureHost } from "../target/fixture-host.ts";
import type { Mode, Sample } from "../target/sample.ts";
import type { Wire } from "../wire/send.ts";
import type { OperationsInfo, Settings } from "./context.ts";
import { type Driver, readAs } from "./drive.ts";
import type { RunOptions } from "./options.ts";

/** Where the service reads an input. */
export function uriOf(uri: Sample["inputs"][number]["uri"], fixtures: FixtureHost | undefined): string {
  if (typeof uri === "string") return uri;
  if ("$json" in uri) return Buffer.from(JSON.stringify(uri.$json)).toString("base64");
  if ("$b64" in uri) return Buffer.from(uri.$b64).toString("base64");
  // Without a host the sample cannot work, and says so by failing.
  return fixtures?.urlOf(uri.$fixture) ?? "http://fixture-host.invalid/";
}

/** Puts the files that samples name on the harness's server. */
export async function hostFixtures(
  { samples = [], readFixture }: RunOptions,
  fixtures: FixtureHost | undefined,
): Promise<void> {
  for (const { uri } of samples.flatMap(({ inputs }) => inputs)) {
    if (typeof uri === "string" || !("$fixture" in uri)) continue;
    const bytes = await readFixture?.(uri.$fixture);
    if (bytes !== undefined) fixtures?.add(uri.$fixture, { bytes, media_type: mediaType(uri.$fixture) });
  }
}

function mediaType(name: string): string {
  if (name.endsWith(".csv")) return "text/csv";
  return name.endsWith(".json") ? "application/json" : "application/octet-stream";
}

/** What the service says of itself; undefined where it does not. */
export async function readOperations(wire: Wire, settings: Settings): Promise<OperationsInfo | undefined> {
  const timeout_ms = Math.min(settings.timeout_ms, 5000);
  const { reply } = await wire.send({ path: "/control/operations", timeout_ms });
  if (reply?.status !== 200) return undefined;
  try {
    const { operations, extensions } = JSON.parse(reply.body.toString());
    if (!Array.isArray(operations)) return undefined;
    const names = Array.isArray(extensions) ? extensions.filter((name) => typeof name === "string") : [];
    return { operations, extensions: names };
  } catch {
    // Another service's page under that path; X01 looks at it where the service declares itself.
    return undefined;
  }
}

/** Fills in how methods answer, where the manifest leaves it open: as the service says, else as it does. */
export async function withModes(
  samples: readonly Sample[],
  driver: Driver,
  operations: OperationsInfo | undefined,
): Promise<Sample[]> {
  const modes = new Map<string, Mode>();
  for (const sample of samples) {
    if (sample.mode !== "either" || modes.has(sample.method)) continue;
    const declared = declaredMode(sample, operations);
    if (declared !== undefined) modes.set(sample.method, declared);
    else if (sample.expect === "complete") {
      const seen = readAs(await driver.execute(sample), "execute")?.status;
      if (seen !== undefined) modes.set(sample.method, seen === "running" ? "concurrent" : "sequential");
    }
  }
  return samples.map((sample) => ({ ...sample, mode: modes.get(sample.method) ?? sample.mode }));
}

/** How a method answers, as the service says of itself. */
export function declaredMode({ method }: Sample, operations: OperationsInfo | undefined): Mode | undefined {
  const style = operations?.operations.find(({ name }) => name === method)?.style;
  return style === "sequential" || style === "concurrent" ? style : undefined;
}
