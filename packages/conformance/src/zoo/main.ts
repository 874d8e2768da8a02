/**
 * The self-test as a program: `--update` writes the matrix, `--tolerant` only tells changes of it, `--jobs N` says how many at once, other
 * words are ids of mutants, benign services or cases.
 */
import { parseArgs } from "node:util";
import { selftest } from "./selftest.ts";

const { values, positionals } = parseArgs({
  options: { update: { type: "boolean" }, tolerant: { type: "boolean" }, jobs: { type: "string" } },
  allowPositionals: true,
});
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.exitCode = await selftest({
  only: positionals,
  update: values.update,
  tolerant: values.tolerant,
  jobs: values.jobs === undefined ? undefined : Number(values.jobs),
  signal: stop.signal,
});
