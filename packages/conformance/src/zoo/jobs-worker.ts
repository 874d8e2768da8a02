/** A thread of the self-test. */
import { parentPort } from "node:worker_threads";
import { type Job, runJob } from "./jobs.ts";

parentPort?.on("message", (job: Job) => {
  runJob(job).then(
    (result) => parentPort?.postMessage({ result }),
    (broke: Error) => parentPort?.postMessage({ result: { job }, broke }),
  );
});
