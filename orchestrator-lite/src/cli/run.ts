import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { ControlError } from "@aieffect/control-interface";
import { createOrchestrator, type Orchestrator } from "../create-orchestrator.ts";
import { readSecret, readStartFolder } from "../environment.ts";
import { parseBlueprint } from "../planner/parse-blueprint.ts";
import type { Submission } from "../planner/parse-submission.ts";
import { InvalidDocumentError } from "../planner/problem.ts";
import type { TaskView, WorkflowView } from "../views/views.ts";
import { exitCodes } from "./exit-codes.ts";
import { printable, toOutputLines } from "./print-outputs.ts";
import { createProgress } from "./progress.ts";
import type { RunArguments } from "./read-arguments.ts";
import { readInputs } from "./read-inputs.ts";
import { UsageError } from "./usage-error.ts";

/** Runs one pipeline in this process and gives the exit code. @param interrupted fires on Ctrl-C and its like, with the exit code as reason */
export async function run(args: RunArguments, interrupted: AbortSignal): Promise<number> {
  try {
    return await runDocuments(args, interrupted);
  } catch (error) {
    const invalid = error instanceof ControlError && error.code === "invalid_request";
    if (!(error instanceof InvalidDocumentError) && !invalid) throw error;
    process.stderr.write(`${printable(error.message)}\n`);
    return exitCodes.invalidDocument;
  }
}

async function runDocuments(args: RunArguments, interrupted: AbortSignal): Promise<number> {
  const folder = readStartFolder();
  const [blueprint, dockerinfo, inputs] = await Promise.all([
    readDocument("blueprint", resolve(folder, args.blueprint)),
    readDocument("dockerinfo", resolve(folder, args.dockerinfo)),
    readInputs(args.inputs, folder),
  ]);
  const parameters = await readParameters(args.parameters, folder);
  const key = args.services_api_key_env;
  const orchestrator = await createOrchestrator({ listen: false, ...args.limits });
  try {
    const { workflow_id } = await orchestrator.submit({
      blueprint,
      dockerinfo,
      inputs,
      ...(parameters !== undefined && { parameters }),
      ...(key !== undefined && { services_api_key: readSecret(key) }),
      ...(args.timeout_s !== undefined && { timeout_s: args.timeout_s }),
    });
    const workflow = await follow(orchestrator, workflow_id, args, interrupted);
    if (workflow === undefined) return interrupted.reason as number;
    return report(workflow, await orchestrator.tasks(workflow_id), blueprint, args.json);
  } finally {
    await orchestrator.close();
  }
}

/** What the planner checks when it is submitted. */
type Parameters = NonNullable<Submission["parameters"]>;

async function readParameters(given: string | undefined, folder: string): Promise<Parameters | undefined> {
  if (given === undefined) return undefined;
  if (!given.trimStart().startsWith("{"))
    return (await readDocument("parameters", resolve(folder, given))) as Parameters;
  try {
    return JSON.parse(given);
  } catch (error) {
    const example = `'{"trainer1:TrainModel": {"epochs": 5}}'`;
    throw new UsageError(
      `Expected --parameters to be JSON as in ${example}, found ${given}. ${(error as Error).message}`,
    );
  }
}

/** The workflow when it has ended, or undefined when it was interrupted and is cancelled. */
async function follow(
  orchestrator: Orchestrator,
  workflow_id: string,
  { json }: RunArguments,
  interrupted: AbortSignal,
): Promise<WorkflowView | undefined> {
  const progress = json ? undefined : createProgress(await orchestrator.tasks(workflow_id), process.stderr);
  if (progress !== undefined) orchestrator.watch(workflow_id, progress.update);
  try {
    return await orchestrator.wait(workflow_id, { signal: interrupted });
  } catch (error) {
    if (!interrupted.aborted) throw error;
    await orchestrator.remove(workflow_id);
    process.stderr.write(`Interrupted: workflow ${workflow_id} is cancelled\n`);
    return undefined;
  }
}

function report(workflow: WorkflowView, tasks: TaskView[], blueprint: unknown, json: boolean): number {
  const last = finalTasks(tasks, blueprint);
  if (json) {
    const { workflow_id, status, error } = workflow;
    const outputs = last.flatMap(({ output_refs }) => output_refs);
    process.stdout.write(`${JSON.stringify({ workflow_id, status, error, outputs, tasks }, null, 2)}\n`);
  } else if (workflow.status === "completed") {
    process.stdout.write(`${toOutputLines(last).join("\n")}\n`);
  } else {
    process.stderr.write(`${printable(workflow.error ?? "The workflow failed")}\n`);
  }
  if (workflow.status === "completed") return exitCodes.completed;
  const unreachable = tasks.some(({ failure }) => failure === "unreachable");
  return unreachable ? exitCodes.unreachable : exitCodes.failed;
}

/** The tasks whose output nobody takes. */
function finalTasks(tasks: readonly TaskView[], document: unknown): TaskView[] {
  const { blueprint } = parseBlueprint(document);
  const taken = new Set(
    blueprint?.nodes.flatMap(({ container_name, operation_signature_list }) =>
      operation_signature_list
        .filter(({ connected_to }) => connected_to.length > 0)
        .map(({ operation_signature }) => `${container_name}:${operation_signature.operation_name}`),
    ),
  );
  return tasks.filter(({ node_key }) => !taken.has(node_key));
}

async function readDocument(name: "blueprint" | "dockerinfo" | "parameters", path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(
      `Expected the ${name} to be a file that can be read, found ${(error as Error).message}`,
      { cause: error },
    );
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    const message = `expected JSON in ${path}. ${(error as Error).message}`;
    throw new InvalidDocumentError([{ document: name, at: "", message }]);
  }
}
