/** What the self-test consists of, one judgement each; here so that they can be made in several threads. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { catalogue } from "../cases/catalogue.ts";
import { benignServices } from "./benign/index.ts";
import { judgeBenign } from "./benign/judge-benign.ts";
import { judgeMutant, rowOf, runAgainst } from "./judge-mutant.ts";
import { rowCases } from "./matrix.ts";
import { mutants } from "./mutants/index.ts";
import { describe, isUnsettled } from "./outcome.ts";
import type { PristineOptions } from "./pristine.ts";

/** Right services, which have to pass every case before anything else counts. */
export const pristineVariants = {
  open: {},
  "with a token": { token: "a-token-of-the-test" },
  "without extensions": { extensions: [], self_description: false },
} satisfies Record<string, PristineOptions>;

/** One judgement. */
export interface Job {
  kind: "pristine" | "diagonal" | "row" | "benign";
  /** Of the mutant, or of the service. */
  id: string;
  /** Only these cases. @default all that concern it */
  cases?: readonly string[] | undefined;
}

/** What it came to. */
export interface JobResult {
  job: Job;
  /** Why it is not as it should be. */
  problem: string | undefined;
  /** Of a row. */
  cells?: readonly string[];
}

/** Makes one judgement in this thread. */
export async function runJob(job: Job): Promise<JobResult> {
  if (job.kind === "pristine") {
    const service = pristineVariants[job.id as keyof typeof pristineVariants];
    const cases = catalogue.filter(({ id }) => job.cases?.includes(id) ?? true);
    const bad = (await runAgainst(service, cases)).filter(isUnsettled);
    return { job, problem: bad.length === 0 ? undefined : bad.map(describe).join("; ") };
  }
  if (job.kind === "benign") {
    const service = benignServices.find(({ id }) => id === job.id);
    if (service === undefined) return { job, problem: "there is no such service" };
    return { job, problem: await judgeBenign(service) };
  }
  const mutant = mutants.find(({ id }) => id === job.id);
  if (mutant === undefined) return { job, problem: "there is no such mutant" };
  if (job.kind === "diagonal") return { job, problem: (await judgeMutant(mutant)).reason };
  return { job, problem: undefined, cells: await rowOf(mutant, rowCases(mutant, catalogue)) };
}

/** Fewer are not worth a thread's start. */
const fewest = 8;

/** How {@link runJobs} goes about it. */
export interface RunJobsOptions {
  /** How many at once. */
  jobs: number;
  signal?: AbortSignal | undefined;
  onResult: (result: JobResult) => void;
}

/** Makes them several at once, in as many threads as there are processors. */
export async function runJobs(all: readonly Job[], options: RunJobsOptions): Promise<JobResult[]> {
  const { jobs, signal, onResult } = options;
  const waiting = [...all];
  const results: JobResult[] = [];
  const threads = all.length < fewest ? 1 : Math.min(availableParallelism(), jobs);
  const each = Math.ceil(jobs / threads);
  await Promise.all(
    Array.from({ length: threads }, async () => {
      const worker = threads > 1 ? startWorker() : undefined;
      const one = async () => {
        for (let job = waiting.shift(); job !== undefined && !signal?.aborted; job = waiting.shift()) {
          const result = await (worker === undefined ? runJob(job) : worker.run(job)).catch(
            (error: Error) => ({
              job: job as Job,
              problem: `the harness broke: ${error.stack ?? error}${error.cause instanceof Error ? `\n${error.cause.stack}` : ""}`,
            }),
          );
          results.push(result);
          onResult(result);
        }
      };
      await Promise.all(Array.from({ length: each }, one));
      await worker?.close();
    }),
  );
  return results;
}

/** A thread that makes judgements; one that dies fails what it was at, and another takes its place. */
function startWorker() {
  const pending = new Map<string, { resolve: (result: JobResult) => void; reject: (why: Error) => void }>();
  const nameOf = ({ kind, id }: Job) => `${kind} ${id}`;
  let worker: Worker | undefined;

  function start(): Worker {
    // Threads run compiled code only; from the sources this is the compiled twin.
    const started = new Worker(new URL("../../dist/zoo/jobs-worker.js", import.meta.url));
    started.on("message", ({ result, broke }: { result: JobResult; broke?: Error }) => {
      const name = nameOf(result.job);
      if (broke === undefined) pending.get(name)?.resolve(result);
      else pending.get(name)?.reject(broke);
      pending.delete(name);
    });
    const die = (why: Error) => {
      if (worker === started) worker = undefined;
      for (const { reject } of pending.values()) reject(why);
      pending.clear();
    };
    started.on("error", die);
    started.on("exit", (code) => die(new Error(`the thread ended with ${code}`)));
    return started;
  }

  return {
    run(job: Job): Promise<JobResult> {
      worker ??= start();
      const thread = worker;
      return new Promise((resolve, reject) => {
        pending.set(nameOf(job), { resolve, reject });
        thread.postMessage(job);
      });
    },
    async close() {
      await worker?.terminate();
    },
  };
}
