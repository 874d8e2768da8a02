/**
 * The demo of a pipeline: `--pipeline NAME` says which, everything else is for the pipeline's own demo.
 */
import { fileURLToPath } from "node:url";

/** Folders of use-cases/ by the names that people type; the first one is the default. */
const pipelines = {
  file: "file_based_energy_pipeline",
  protobuf: "protobuf_based_energy_pipeline",
};

const [node, , ...args] = process.argv;
const at = args.findIndex((arg) => /^--pipeline(=|$)/.test(arg));
const isSeparate = args[at] === "--pipeline";
const name = at < 0 ? "file" : isSeparate ? args[at + 1] : args[at].slice("--pipeline=".length);
if (name === undefined || !Object.hasOwn(pipelines, name)) {
  const names = Object.keys(pipelines).join(" or ");
  console.error(
    `Expected --pipeline to be ${names}, found ${name ?? "nothing"}\nTry npm run demo -- --help.`,
  );
  process.exit(2);
}
if (at >= 0) args.splice(at, isSeparate ? 2 : 1);
const entry = new URL(`../use-cases/${pipelines[name]}/dist/demo/main.js`, import.meta.url);
process.argv = [node, fileURLToPath(entry), ...args];
await import(entry.href);
