import type { Sample } from "../target/sample.ts";
import type { CaseStatus, ConformanceCase, Need, Profile } from "./case.ts";
import { completes, fails, firstOf, isSlowFor, pairOf, samplesFor } from "./choose-samples.ts";
import type { Facts } from "./options.ts";

/** Why a case cannot run, or need not. */
export function obstacleTo(
  one: ConformanceCase,
  facts: Facts,
): { status: CaseStatus; reason: string } | undefined {
  const { options, samples, operations, fixtures } = facts;
  const untestable = (reason: string) => ({ status: "untestable" as const, reason });
  const notApplicable = (reason: string) => ({ status: "not-applicable" as const, reason });
  const isClaimed = options.claims?.includes(one.profile) ?? false;
  if (one.profile === "auth" && options.token === undefined && !isClaimed) {
    return notApplicable(
      "no token was given; with one (--token env:NAME) the service's authentication is tested",
    );
  }
  for (const style of ["sequential", "concurrent"] as const) {
    if (one.profile !== style || isClaimed || samplesFor(style, samples).length > 0) continue;
    if (samples.length === 0) return untestable(whatToAdd("sample", one.profile));
    return notApplicable(`no method of the manifest is ${style}`);
  }
  if (one.extension !== undefined && !(operations?.extensions.includes(one.extension) ?? false)) {
    return notApplicable(`the service does not declare the extension "${one.extension}"`);
  }
  if (one.destructive && !(options.allow_destructive ?? facts.isLoopback)) {
    return untestable("it can harm a service that others use; allow it with --allow-destructive");
  }
  const usable = samplesFor(one.profile, samples);
  const has: Record<Need, boolean> = {
    sample: firstOf(usable, completes) !== undefined,
    pair: pairOf(usable) !== undefined,
    failing: firstOf(usable, fails) !== undefined,
    slow: firstOf(samples, isSlowFor(one.profile)) !== undefined,
    fixtures: fixtures !== undefined,
    token: options.token !== undefined,
    spawn: options.spawned !== undefined,
  };
  // A service without background work has none that could be slow.
  if (
    one.needs.includes("slow") &&
    one.profile !== "sequential" &&
    !has.slow &&
    samples.length > 0 &&
    samples.every(({ mode }) => mode === "sequential")
  ) {
    return notApplicable("no method of the manifest is concurrent");
  }
  const missing = one.needs.find((need) => !has[need]);
  if (missing === undefined) return undefined;
  const method = methodFor(one, usable, samples);
  // What only the harness's own process can do is offered, not demanded.
  return missing === "spawn"
    ? notApplicable(whatToAdd(missing, one.profile, method))
    : untestable(whatToAdd(missing, one.profile, method));
}

/** The method that a missing sample would best be of, as far as the manifest tells; background work is what may be slow. */
function methodFor(
  { needs }: ConformanceCase,
  usable: readonly Sample[],
  samples: readonly Sample[],
): string | undefined {
  const concurrent = needs.includes("slow") ? samplesFor("concurrent", usable)[0] : undefined;
  return (concurrent ?? usable[0] ?? samples[0])?.method;
}

/** The YAML, or the flag, that makes a case testable; where no method is known, also how to have a file written. */
export function whatToAdd(need: Need, profile: Profile, known?: string): string {
  const method = known ?? "YourMethod";
  const mode = profile === "sequential" || profile === "concurrent" ? `, mode: ${profile}` : "";
  const yaml = (samples: string) =>
    `add to conformance.yaml: methods: {${method}: {${samples}${mode}}}${known === undefined ? " (or write one with: aieffect-conformance init <url>)" : ""}`;
  switch (need) {
    case "sample":
      return `${yaml("samples: {a: {inputs: [{protocol: inline, uri: !json {x: 1}, format: json}]}}")}, or give --method, --input and --params`;
    case "pair":
      return yaml("samples: {a: {parameters: {x: 1}}, b: {parameters: {x: 2}}} with outputs that differ");
    case "failing":
      return yaml(
        'samples: {fail: {inputs: [{protocol: inline, uri: !b64 "what it cannot read", format: json}]}}',
      );
    case "slow":
      return yaml("samples: {slow: {parameters: {n: 100000}, expect-at-least: 2s}}");
    case "fixtures":
      return "say under which name the service reaches this machine: --fixture-host NAME";
    case "token":
      return "give the service's key: --token env:SERVICE_API_KEY";
    case "spawn":
      return "let the harness start the service: --spawn 'COMMAND'";
    default:
      return "";
  }
}
