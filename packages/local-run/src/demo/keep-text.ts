import { join } from "node:path";
import { state_file_name } from "../pipeline/claim-folder.ts";
import type { LocalPipeline } from "../pipeline/start-local-pipeline.ts";
import { formatTable } from "../terminal/table.ts";
import type { Demo } from "./demo.ts";

/** What can be done with a pipeline that is kept running; with a line for the shell that works as it stands. */
export function toKeepText(demo: Demo, pipeline: LocalPipeline, has_key: boolean): string {
  const { orchestrator, services, blueprint_file, dockerinfo_file } = pipeline;
  const urls = Object.entries({ orchestrator, ...services });
  const key = has_key ? ", with this demo's SERVICE_API_KEY in its environment" : "";
  return [
    formatTable(urls.map(([name, url]) => [name, url])),
    "",
    `  Blueprint    ${blueprint_file}`,
    `  Dockerinfo   ${dockerinfo_file}`,
    "",
    `  Running until Ctrl-C. To submit more, in another terminal${key}:`,
    `  ${toSubmitLine(demo, pipeline)}`,
    "",
  ].join("\n");
}

function toSubmitLine(
  { submit_script, data_dir }: Demo,
  { orchestrator, dockerinfo_file, state_file }: LocalPipeline,
): string {
  const script = toWord(submit_script);
  // The script looks there by itself.
  if (state_file === join(data_dir, state_file_name)) return script;
  if (state_file !== undefined) return `STATE_FILE=${toWord(state_file)} ${script}`;
  return `ORCHESTRATOR_URL=${toWord(orchestrator)} DOCKERINFO=${toWord(dockerinfo_file)} ${script}`;
}

/** A text as one word of a POSIX shell. */
function toWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
