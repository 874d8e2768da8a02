import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { DataReference } from "@aieffect/control-interface";
import { createOrchestrator, type TaskView, type WorkflowView } from "@aieffect/orchestrator-lite";
import {
  type RunningServices,
  type StartServicesOptions,
  startServices,
} from "../services/start-services.ts";
import { claimFolder } from "./claim-folder.ts";
import { toDockerinfo } from "./dockerinfo.ts";
import { type Flow, flowOrder } from "./flow-order.ts";
import { writeState } from "./state-file.ts";

/** A use case as it runs on one machine. */
export interface LocalPipelineOptions extends StartServicesOptions {
  /** The blueprint whose containers the programs are. */
  blueprint_file: string;
  /** The key the services were given as `SERVICE_API_KEY`. @default none */
  services_api_key?: string;
  /**
   * Seconds one call to a service may take. Far above the 30 s of a deployed orchestrator, because
   * a sequential operation on a big file answers only at its end.
   * @default 3600
   */
  call_timeout_s?: number;
  /** Called when a service ends that nobody stopped. @default nothing */
  onServiceEnd?: (container_name: string, how: string, log_file: string) => void;
}

/** What a workflow is started with, and how it is followed. */
export interface RunOptions {
  /** What the start node gets. @default nothing */
  inputs?: readonly DataReference[];
  /** Parameters by node key. @default none */
  parameters?: Readonly<Record<string, Record<string, unknown>>>;
  /** Called with the workflow's id before any of its tasks runs on. */
  onSubmit?: (workflow_id: string) => void;
  /** Called with all tasks, in the order of the pipeline, at each change; not once the signal is aborted. */
  onTasks?: (tasks: readonly TaskView[]) => void;
  /** Cancels the workflow; the run then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** How a workflow ended. */
export interface RunOutcome {
  workflow_id: string;
  workflow: WorkflowView;
  tasks: readonly TaskView[];
}

/** Services and an orchestrator that run. Close it when done. */
export interface LocalPipeline {
  /** Base URL of the orchestrator. */
  readonly orchestrator: string;
  /** Base URL by container name. */
  readonly services: Readonly<Record<string, string>>;
  /** Absolute paths of what a submission needs. */
  readonly blueprint_file: string;
  readonly dockerinfo_file: string;
  /** Absolute path; absent when another pipeline that runs has the folder's state file. */
  readonly state_file?: string;
  /** Folder of the services' logs. */
  readonly log_dir: string;
  /** Runs one workflow to its end; several at a time are welcome. A failed workflow resolves too. */
  run(options?: RunOptions): Promise<RunOutcome>;
  /** Most memory each service has held so far, in bytes. */
  peakRss(): Promise<Record<string, number>>;
  /** Stops the orchestrator and the services, then removes the state file. */
  close(): Promise<void>;
}

/**
 * Starts services and an orchestrator on free ports of 127.0.0.1 and writes `dockerinfo.json` and
 * the state file `local-run.json` into the data folder. While another pipeline that is alive
 * has these there, it writes `dockerinfo-<pid>.json`, `logs-<pid>/` and no state file.
 *
 * @throws Error when a service does not start or the blueprint cannot be read; nothing is left running
 */
export async function startLocalPipeline(options: LocalPipelineOptions): Promise<LocalPipeline> {
  const { services_api_key, call_timeout_s = 3600, onServiceEnd } = options;
  const data_dir = resolve(options.data_dir);
  const blueprint_file = resolve(options.blueprint_file);
  const blueprint = await readJson(blueprint_file);
  const folder = await claimFolder(data_dir);
  const { state_file, dockerinfo_file } = folder;
  const log_dir = resolve(options.log_dir ?? folder.log_dir);
  const closers: (() => Promise<void>)[] = [() => folder.release()];
  const close = once(async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  });
  try {
    const services = await startServices({ ...options, data_dir, log_dir });
    closers.push(() => services.stop());
    const dockerinfo = toDockerinfo(services.urls);
    await writeFile(dockerinfo_file, `${JSON.stringify(dockerinfo, undefined, 2)}\n`);

    const orchestrator = await createOrchestrator({ port: 0, call_timeout_s });
    closers.push(() => orchestrator.close());

    if (state_file !== undefined) {
      const state = {
        orchestrator: orchestrator.url,
        blueprint: blueprint_file,
        dockerinfo: dockerinfo_file,
      };
      await writeState(state_file, { ...state, services: services.urls, pid: process.pid });
    }
    reportEnds(services, () => closers.length > 0, onServiceEnd);

    return {
      orchestrator: orchestrator.url,
      services: services.urls,
      blueprint_file,
      dockerinfo_file,
      ...(state_file !== undefined && { state_file }),
      log_dir,
      async run({ inputs = [], parameters, onSubmit, onTasks, signal } = {}) {
        const { workflow_id } = await orchestrator.submit({
          blueprint,
          dockerinfo,
          inputs: [...inputs],
          ...(parameters && { parameters }),
          ...(services_api_key !== undefined && { services_api_key }),
        });
        onSubmit?.(workflow_id);
        // Checked by the orchestrator when it was submitted.
        const order = flowOrder(blueprint as Flow);
        const readTasks = async () => sortTasks(await orchestrator.tasks(workflow_id), order);
        const tasks = new Map((await readTasks()).map((task) => [task.node_key, task]));
        onTasks?.([...tasks.values()]);
        const unwatch = orchestrator.watch(workflow_id, (change) => {
          if (change.kind !== "task") return;
          tasks.set(change.task.node_key, change.task);
          onTasks?.([...tasks.values()]);
        });
        try {
          const workflow = await orchestrator.wait(workflow_id, signal ? { signal } : {});
          const ended = await readTasks();
          // The end may have come before anyone watched.
          onTasks?.(ended);
          return { workflow_id, workflow, tasks: ended };
        } catch (error) {
          if (!signal?.aborted) throw error;
          // What becomes of the tasks now is no news to who gave them up.
          unwatch();
          // Asks the services to cancel, so that stopping them does not wait for tasks nobody wants.
          await orchestrator.remove(workflow_id);
          throw signal.reason;
        } finally {
          unwatch();
        }
      },
      peakRss: () => services.peakRss(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function sortTasks(tasks: readonly TaskView[], order: readonly string[]): TaskView[] {
  return [...tasks].sort((a, b) => order.indexOf(a.node_key) - order.indexOf(b.node_key));
}

/** The same promise for every call. */
function once(act: () => Promise<void>): () => Promise<void> {
  let acting: Promise<void> | undefined;
  return () => {
    acting ??= act();
    return acting;
  };
}

function reportEnds(
  { services }: RunningServices,
  wanted: () => boolean,
  onServiceEnd: LocalPipelineOptions["onServiceEnd"],
): void {
  for (const { container_name, ended, log_file } of services) {
    void ended.then((how) => {
      if (wanted()) onServiceEnd?.(container_name, how, log_file);
    });
  }
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`Expected JSON in ${file}. ${(error as Error).message}`, { cause: error });
  }
}
