/**
 * How the harness proves itself: a right service passes, every wrong one is caught by its case for
 * its reason, odd but legal ones pass, and what each case sees is what it saw before.
 */
import { catalogue } from "../cases/catalogue.ts";
import type { CaseResult } from "../engine/case.ts";
import { benignServices } from "./benign/index.ts";
import { type Job, type JobResult, runJobs } from "./jobs.ts";
import { runAgainst } from "./judge-mutant.ts";
import { compareMatrices, deadCases, type Matrix, readMatrix, writeMatrix } from "./matrix.ts";
import { mutants } from "./mutants/index.ts";
import type { PristineOptions } from "./pristine.ts";

/** What is tested, and how. */
export interface SelftestOptions {
  /** @default standard output */
  out?: { write(text: string): unknown };
  /** Only these: ids of mutants, of benign services, or of cases, whose mutants are then judged. @default all */
  only?: readonly string[] | undefined;
  /** Write what the matrix is now, instead of comparing with what it was. @default false */
  update?: boolean | undefined;
  /** How many services are judged at once. @default 6 */
  jobs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Right services, which have to pass every case before anything else counts. */
export const pristineVariants: readonly (readonly [name: string, service: PristineOptions])[] = [
  ["open", {}],
  ["with a token", { token: "a-token-of-the-test" }],
  ["without extensions", { extensions: [], self_description: false }],
];

/** Runs the self-test. @returns 0, 1 when something is alive or has changed, 70 when it is void, 130 when it was interrupted */
export async function selftest(options: SelftestOptions = {}): Promise<number> {
  const { out = process.stdout, only = [], update = false, jobs = 6, signal } = options;
  const began = performance.now();
  const say = (text: string) => void out.write(`${text}\n`);
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(0)} s`;
  const isChosen = (...names: string[]) => only.length === 0 || names.some((name) => only.includes(name));

  const unknown = only.filter((name) => !known(name));
  if (unknown.length > 0) {
    say(`Expected ids of mutants, benign services or cases; found ${unknown.join(", ")}`);
    return 64;
  }
  const voided = await firstVoid(say);
  if (voided !== undefined) {
    say(`VOID: ${voided}. Nothing that follows would prove anything.`);
    return 70;
  }

  const chosen = mutants.filter(({ id, breaks }) => isChosen(id, breaks)).map(({ id }) => id);
  const benign = benignServices.filter(({ id }) => isChosen(id)).map(({ id }) => id);
  const judge = async (kind: Job["kind"], ids: readonly string[], title: string) => {
    if (ids.length === 0) return [];
    let done = 0;
    let told = performance.now();
    const onResult = ({ job, problem }: JobResult) => {
      done++;
      if (problem !== undefined) say(`  ${job.id}: ${problem}; once more, alone, at the end`);
      if (performance.now() - told < 5000 && done < ids.length) return;
      told = performance.now();
      say(`${title}: ${done} of ${ids.length} (${seconds()})`);
    };
    return runJobs(
      ids.map((id) => ({ kind, id })),
      { jobs, signal, onResult },
    );
  };
  /** What is not as it should be is judged once more with the machine for itself: only then it counts. */
  const alone = async (results: readonly JobResult[], isOff: (result: JobResult) => boolean) => {
    const again = results.filter(isOff).map(({ job }) => job);
    const better = await runJobs(again, { jobs: 1, signal, onResult: () => {} });
    return results.map((result) => better.find(({ job }) => job.id === result.job.id) ?? result);
  };
  const isBad = ({ problem }: JobResult) => problem !== undefined;

  const diagonal = await alone(await judge("diagonal", chosen, "mutants against their cases"), isBad);
  const golden = await readMatrix();
  const isNew = ({ job, cells = [] }: JobResult) => golden[job.id]?.join() !== cells.join();
  const rows = await alone(await judge("row", chosen, "kill matrix"), isNew);
  const odd = await alone(await judge("benign", benign, "benign services"), isBad);
  if (signal?.aborted) {
    say("interrupted");
    return 130;
  }

  const alive = [...diagonal, ...rows.filter(isBad)].filter(isBad);
  for (const { job, problem } of alive) say(`ALIVE ${job.id} (${breaksOf(job.id)}): ${problem}`);
  const falselyRed = odd.filter(isBad);
  for (const { job, problem } of falselyRed) say(`FALSE RED on ${job.id}: ${problem}`);

  const made: Matrix = Object.fromEntries(
    mutants.flatMap(({ id }) => {
      const cells = rows.find(({ job }) => job.id === id)?.cells ?? golden[id];
      return cells === undefined ? [] : [[id, cells]];
    }),
  );
  const changes = compareMatrices(
    golden,
    made,
    mutants.map(({ id }) => id),
  );
  const dead = only.length > 0 ? [] : deadCases(catalogue, mutants, made);
  for (const id of dead) say(`DEAD CASE ${id}: no mutant is caught by it first`);
  for (const change of changes) say(`${update ? "now" : "CHANGED"} ${change}`);
  if (update) await writeMatrix(made);

  say(`mutants killed ${diagonal.length - diagonal.filter(isBad).length}/${diagonal.length}`);
  say(`benign clean ${odd.length - falselyRed.length}/${odd.length}`);
  if (changes.length === 0) say("matrix unchanged");
  else
    say(
      update
        ? `matrix written (${changes.length} rows)`
        : `matrix changed in ${changes.length} rows; look at them, then write it with --update`,
    );
  const isRight =
    alive.length === 0 && falselyRed.length === 0 && dead.length === 0 && (update || changes.length === 0);
  return isRight ? 0 : 1;
}

/** Why nothing can be proven: a right service does not pass, or one that is all wrong does. */
async function firstVoid(say: (text: string) => void): Promise<string | undefined> {
  for (const [name, service] of pristineVariants) {
    const bad = (await runAgainst(service, catalogue)).filter(isUnsettled);
    if (bad.length > 0)
      return `the pristine service (${name}) does not pass: ${bad.map(describe).join("; ")}`;
    say(`pristine ${name}: every case passes`);
  }
  const canary: PristineOptions = {
    hooks: { call: async () => ({ status: 500, body: { detail: "canary" } }) },
  };
  const cheap = catalogue.filter(({ needs, destructive }) => needs.length === 0 && !destructive);
  const results = await runAgainst(canary, cheap);
  const health = results.find((result) => result.case.id === "C01");
  if (health?.status !== "fail") return "a service that always answers 500 is not caught";
  say("canary: a service that always answers 500 is caught");
  return undefined;
}

/** Whether a case did not come out well on a service that is right. */
export function isUnsettled({ status }: CaseResult): boolean {
  return !["pass", "info", "not-applicable", "inconclusive"].includes(status);
}

/** What a case came to, in a line. */
export function describe({ case: { id }, status, reason, findings }: CaseResult): string {
  const [first] = findings.filter((finding) => finding.status === "fail" || finding.status === "warn");
  const why =
    first === undefined ? reason : `${first.code}: expected ${first.expected}, found ${first.found}`;
  return `${id} ${status}${why === undefined ? "" : ` (${why})`}`;
}

function known(name: string): boolean {
  const all = [...mutants, ...benignServices, ...catalogue];
  return all.some(({ id }) => id === name);
}

function breaksOf(id: string): string {
  return mutants.find((mutant) => mutant.id === id)?.breaks ?? "";
}
