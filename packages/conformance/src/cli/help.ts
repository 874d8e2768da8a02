import { baselineFlags } from "./baseline.ts";
import { explainFlags } from "./explain.ts";
import { describeFlags } from "./flags.ts";
import { initFlags } from "./init.ts";
import { listFlags } from "./list.ts";
import { matrixFlags } from "./matrix.ts";
import { selftestFlags } from "./selftest.ts";
import { serveFixturesFlags } from "./serve-fixtures.ts";
import { testFlags } from "./test-flags.ts";

const general = `aieffect-conformance: judges any AI-Effect service, in any language, by what the deployed
orchestrator does with its answers

Usage:
  aieffect-conformance test <url> [options]          judge a service
  aieffect-conformance init <url>                    write conformance.yaml: what may be called
  aieffect-conformance list                          the cases
  aieffect-conformance explain <case|code|rule>      what is behind one
  aieffect-conformance baseline write|prune <report> failures that are known
  aieffect-conformance matrix <report> ...           several services beside each other
  aieffect-conformance serve-fixtures [file ...]     inputs for services, good and bad
  aieffect-conformance selftest                      prove that the suite can fail
  aieffect-conformance <command> --help

Begin with:
  aieffect-conformance test http://localhost:8080            needs nothing but the URL
  aieffect-conformance init http://localhost:8080            tell it what it may call ...
  aieffect-conformance test                                  ... and most cases can run
`;

const exits = `Exit codes:
  0 conformant, but for what is known; also what is not proven, without --require-proof
  1 something fails      2 a known-failing entry is out of date      3 not proven, with --require-proof
  64 usage      69 unreachable      70 the harness broke      130 interrupted, with reports of what ran
`;

const test = `aieffect-conformance test: judges a service

Usage:
  aieffect-conformance test <url> [options]
  aieffect-conformance test [options]                the URL from conformance.yaml

${describeFlags(testFlags)}
Times are written as 500ms, 30s or 10m. Every option can be set in the environment, as in
AIEFFECT_CONFORMANCE_POLL_INTERVAL=50ms; options win over it, conformance.yaml gives way to both.
Without a manifest, or a sample, only what needs no valid call can be tested.

${exits}
Examples:
  aieffect-conformance test http://localhost:8080
  aieffect-conformance test http://localhost:8080 --token env:SERVICE_API_KEY --claim core,auth
  aieffect-conformance test --spawn 'uvicorn app:app --port $PORT' --case 'conc/**' --repeat 5
  aieffect-conformance test http://localhost:8080 --method Train --input inline:config.json
  aieffect-conformance test --out report        report/report.html, junit.xml, ..., evidence/<case>/repro.sh
`;

const init = `aieffect-conformance init: writes conformance.yaml, out of what the service tells of itself

Usage:
  aieffect-conformance init <url> [options]

${describeFlags(initFlags)}
Asks GET /control/operations; where there is none, reads method names out of the answer to a method
that no service has. Never writes over a file without --force.
`;

const list = `aieffect-conformance list: the cases

Usage:
  aieffect-conformance list [glob ...] [options]

${describeFlags(listFlags)}
Examples:
  aieffect-conformance list 'conc/**'
`;

const explain = `aieffect-conformance explain: what is behind a case, a code or a rule

Usage:
  aieffect-conformance explain <case|code|rule> ...

${describeFlags(explainFlags)}
Examples:
  aieffect-conformance explain T04
  aieffect-conformance explain conc/visible-at-once
  aieffect-conformance explain E_STATUS_LITERAL
  aieffect-conformance explain R-EXEC-09
`;

const baseline = `aieffect-conformance baseline: keeps the list of failures that are known

Usage:
  aieffect-conformance baseline write <report.json> [options]   adds what fails
  aieffect-conformance baseline prune <report.json> [options]   takes out what does not fail any more

${describeFlags(baselineFlags)}
A known failure does not fail a run; one that is gone does (exit code 2), so that the list stays true.
Comments and entries that are there stay.

Examples:
  aieffect-conformance test http://localhost:8080 --report json=report.json
  aieffect-conformance baseline write report.json --until 2030-01-31
`;

const matrix = `aieffect-conformance matrix: several services beside each other, by case

Usage:
  aieffect-conformance matrix <report.json> ... [options]

${describeFlags(matrixFlags)}
Examples:
  aieffect-conformance matrix analyzer.json trainer.json
  aieffect-conformance matrix */report.json --report html=matrix.html,md=matrix.md
`;

const selftest = `aieffect-conformance selftest: proves that the suite can fail

Usage:
  aieffect-conformance selftest [id ...] [options]   all, or these mutants, services or cases

${describeFlags(selftestFlags)}
Runs the suite against services with one known fault each, on this machine: every one has to be
caught, by the case that is there for it and for its reason; services without a fault have to pass.
`;

const serveFixtures = `aieffect-conformance serve-fixtures: serves inputs, good and bad, until Ctrl-C

Usage:
  aieffect-conformance serve-fixtures [file ...] [options]

${describeFlags(serveFixturesFlags)}
Prints the URLs: of the files, and of inputs that misbehave (404, reset, stall, ...), to try by hand
what a service does with them. \`test\` starts the same server by itself.
`;

const texts: Readonly<Record<string, string>> = {
  test,
  init,
  list,
  explain,
  baseline,
  matrix,
  selftest,
  "serve-fixtures": serveFixtures,
};

/** The help of a command, or the general one. */
export function helpOf(command: string | undefined): string {
  return texts[command ?? ""] ?? `${general}\n${exits}`;
}
