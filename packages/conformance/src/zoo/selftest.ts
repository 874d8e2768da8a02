/**
 * How the harness proves itself: a right service passes, every wrong one is caught by its case for
 * its reason, odd but legal ones pass, and what each case sees is what it saw before.
 */
import { catalogue } from "../cases/catalogue.ts";
import { benignServices } from "./benign/index.ts";
import { type Job, type JobResult, pristineVariants, runJobs } from "./jobs.ts";
import { runAgainst } from "./judge-mutant.ts";
import {
  compareMatrices,
  deadCases,
  hasRow,
  isAsKnown,
  type Matrix,
  mergeRows,
  readMatrix,
  writeMatrix,
} from "./matrix.ts";
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
  /** Tell changes of the matrix, but do not fail on them: what cases see beside their own mutants may differ on a slow machine. @default false */
  tolerant?: boolean | undefined;
  /** How many services are judged at once; half as many where time is measured. @default 8 */
  jobs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Runs the self-test. @returns 0, 1 when something is alive or has changed, 70 when it is void, 130 when it was interrupted */
export async function selftest(options: SelftestOptions = {}): Promise<number> {
  const { out = process.stdout, only = [], update = false, tolerant = false, jobs = 8, signal } = options;
  const began = performance.now();
  const say = (text: string) => void out.write(`${text}\n`);
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(0)} s`;
  const isChosen = (...names: string[]) => only.length === 0 || names.some((name) => only.includes(name));

  const unknown = only.filter((name) => !known(name));
  if (unknown.length > 0) {
    say(`Expected ids of mutants, benign services or cases; found ${unknown.join(", ")}`);
    return 64;
  }
  const wrong = mutants.filter(({ id, breaks }) => isChosen(id, breaks));
  const chosen = wrong.map(({ id }) => id);
  const benign = benignServices.filter(({ id }) => isChosen(id)).map(({ id }) => id);
  // A benign service meets all cases, a mutant its own.
  const own = wrong.flatMap(({ breaks, after = [] }) => [breaks, ...after]);
  const cases = benign.length > 0 ? undefined : own;
  const voided = await firstVoid(say, { signal, cases });
  if (voided !== undefined) {
    say(`VOID: ${voided}. Nothing that follows would prove anything.`);
    return 70;
  }

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
      // Cases that measure time are worth little on a busy machine.
      { jobs: kind === "diagonal" ? Math.ceil(jobs / 2) : jobs, signal, onResult },
    );
  };
  const rowed = new Set(mutants.filter(hasRow).map(({ id }) => id));
  const isInMatrix = (id: string) => rowed.has(id);
  const isBad = ({ problem }: JobResult) => problem !== undefined;

  const diagonal = await again(await judge("diagonal", chosen, "mutants against their cases"), isBad, signal);
  const golden = await readMatrix();
  const isNew = ({ job, cells = [] }: JobResult) => !isAsKnown(golden[job.id], cells);
  // A busy machine can time out what hangs nowhere: what is not as it was is looked at twice more.
  const once = await judge("row", chosen.filter(isInMatrix), "kill matrix");
  const twice = await again(once, isNew, signal, jobs);
  const rows = await again(twice, isNew, signal, update ? jobs : 1);
  const odd = await again(await judge("benign", benign, "benign services"), isBad, signal);
  if (signal?.aborted) {
    say("interrupted");
    return 130;
  }

  const alive = [...diagonal, ...rows.filter(isBad)].filter(isBad);
  for (const { job, problem } of alive) say(`ALIVE ${job.id} (${breaksOf(job.id)}): ${problem}`);
  const falselyRed = odd.filter(isBad);
  for (const { job, problem } of falselyRed) say(`FALSE RED on ${job.id}: ${problem}`);

  const made: Matrix = Object.fromEntries(
    [...rowed].flatMap((id) => {
      const cells = rows.find(({ job }) => job.id === id)?.cells;
      return cells === undefined ? [] : [[id, cells]];
    }),
  );
  const changes = compareMatrices(golden, made, [...rowed]);
  const order = catalogue.map(({ id }) => id);
  const runsOf = (id: string) =>
    [once, twice, rows].flatMap((run) => {
      const cells = run.find(({ job }) => job.id === id)?.cells;
      return cells === undefined ? [] : [cells];
    });
  const next: Matrix = Object.fromEntries(
    [...rowed].flatMap((id) => {
      const known = golden[id];
      const isKept = made[id] === undefined || isAsKnown(known, made[id]);
      const row = isKept ? known : mergeRows(known, runsOf(id), order);
      return row === undefined ? [] : [[id, row]];
    }),
  );
  const dead = only.length > 0 ? [] : deadCases(catalogue, mutants, next);
  for (const id of dead) say(`DEAD CASE ${id}: no mutant is caught by it first`);
  for (const change of changes) say(`${update ? "now" : "CHANGED"} ${change}`);
  if (update) await writeMatrix(next);

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
    alive.length === 0 &&
    falselyRed.length === 0 &&
    dead.length === 0 &&
    (update || tolerant || changes.length === 0);
  return isRight ? 0 : 1;
}

/** What is not as it should be is judged once more with the machine for itself: only then it counts. */
async function again(
  results: readonly JobResult[],
  isOff: (result: JobResult) => boolean,
  signal: AbortSignal | undefined,
  jobs = 1,
): Promise<JobResult[]> {
  const off = results.filter(isOff).map(({ job }) => job);
  const better = await runJobs(off, { jobs, signal, onResult: () => {} });
  return results.map((result) => better.find(({ job }) => job.id === result.job.id) ?? result);
}

/** Why nothing can be proven: a right service does not pass, or one that is all wrong does. */
async function firstVoid(
  say: (text: string) => void,
  { signal, cases }: { signal: AbortSignal | undefined; cases?: string[] | undefined },
): Promise<string | undefined> {
  const all = Object.keys(pristineVariants).map((id): Job => ({ kind: "pristine", id, cases }));
  const first = await runJobs(all, { jobs: all.length, signal, onResult: () => {} });
  for (const { job, problem } of await again(first, ({ problem }) => problem !== undefined, signal)) {
    if (problem !== undefined) return `the pristine service, ${job.id}, does not pass: ${problem}`;
    say(`pristine, ${job.id}: every case passes`);
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

function known(name: string): boolean {
  const all = [...mutants, ...benignServices, ...catalogue];
  return all.some(({ id }) => id === name);
}

function breaksOf(id: string): string {
  return mutants.find((mutant) => mutant.id === id)?.breaks ?? "";
}
