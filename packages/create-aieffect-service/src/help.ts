import type { Templates } from "@aieffect/generators";

/** The help, with the templates that there are. */
export function helpText({ services, examples }: Templates): string {
  const list = (all: Templates["services"]) =>
    all.map(({ name, title }) => `                              ${name.padEnd(21)} ${title}`).join("\n");
  return `create-aieffect-service: an AI-EFFECT service that runs, tests itself and is conformant

Usage:
  npm create aieffect-service [folder] -- [options]
  pnpm create aieffect-service [folder] [options]

What:
  --name NAME               the service's name, in small letters and hyphens (the folder's name)
  --style STYLE             sequential (a call takes under 20 s) or concurrent (concurrent)
  --data HOW                file or protobuf (file)
  --template NAME           both at once, one of:
${list(services)}
  --operation NAME          one more operation, as in ProcessData; repeatable
  --example NAME            a whole use case instead of one service, one of:
${list(examples)}
Where:
  --into WORKSPACE          as services/<name> of the pnpm workspace in this folder
  --merge                   into a folder that is not empty: keep yours, add what is missing
  --overwrite               into a folder that is not empty: replace files of the same name
Then:
  --pm npm|pnpm             package manager (the one that called this, pnpm with --into, else npm)
  --install                 install the dependencies
  --git                     make it a repository with a first commit, unless it lies in one
  --verify                  install, check types, test (conformance included), start the service and
                            have an orchestrator run a task on it
How:
  --dry-run [--diff]        tell what would be written, and write nothing
  -y, --yes                 ask nothing, take the defaults
  --no-interactive          the same; so it is without a terminal and in CI
  --json                    one JSON object on standard output
  --quiet                   only errors
  -v, --version  -h, --help

Exit codes: 0 done, 1 a bug, 2 usage, 3 something is in the way, 5 the machine lacks something,
6 created but not verified, 130 cancelled. An error has a code that never changes, as AE1301.
`;
}
