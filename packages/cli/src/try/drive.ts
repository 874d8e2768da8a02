import { ControlClient, ControlError, type DataReference } from "@aieffect/control-interface";
import {
  type Append,
  createMemoryStore,
  createOrchestrator,
  type TaskView,
  type WorkflowStore,
} from "@aieffect/orchestrator-lite";
import { printable } from "../printable.ts";

/** One operation of one service. */
export interface DriveOptions {
  /** `http://host:port`: all that an orchestrator can call. */
  service: URL;
  operation: string;
  inputs: readonly DataReference[];
  parameters: Readonly<Record<string, unknown>>;
  token: string | undefined;
  /** The task is given up then. */
  timeout_s: number;
  /** Called with every change. */
  onChange: (task: TaskView) => void;
  /** Cancels the task. */
  signal: AbortSignal;
}

/** What became of it. */
export interface Driven {
  workflow_id: string;
  task: TaskView;
  duration_ms: number;
  /** Set when it was interrupted: what the service did about it. */
  cancelled?: string;
}

/** Runs a workflow of one node on the reference orchestrator, in this process. */
export async function drive(options: DriveOptions): Promise<Driven> {
  const { service, operation, parameters, token, timeout_s, signal } = options;
  const container = "service1";
  const client = new ControlClient({
    base_url: service.origin,
    call_timeout_ms: 5000,
    ...(token !== undefined && { api_key: token }),
  });
  let shown: TaskView | undefined;
  const show = (task: TaskView) => {
    shown = task;
    options.onChange(task);
  };
  const handles = observeHandles(async (handle) => {
    // The orchestrator's long poll is answered at the next change, which may be long in coming (R-WAIT-01).
    const { reading, message } = await client.status(handle, { signal });
    const { status, progress = 0 } = reading;
    if (status !== "running" || shown?.status !== "running" || progress <= (shown.progress ?? 0)) return;
    show({ ...shown, progress, ...(message !== undefined && { message }) });
  });
  const orchestrator = await createOrchestrator({
    listen: false,
    // What goes wrong is to be seen, as the deployed orchestrator sees it (R-READ-01).
    retry_attempts: 1,
    poll_interval_s: 1,
    task_timeout_s: timeout_s,
    store: handles.store,
  });
  const began = performance.now();
  try {
    const { workflow_id } = await orchestrator.submit({
      blueprint: {
        name: `try ${operation}`,
        pipeline_id: "1",
        nodes: [
          {
            container_name: container,
            node_type: "MLModel",
            operation_signature_list: [{ operation_signature: { operation_name: operation } }],
          },
        ],
      },
      dockerinfo: {
        docker_info_list: [
          {
            container_name: container,
            ip_address: service.hostname.replace(/^\[|\]$/g, ""),
            port: service.port || "80",
          },
        ],
      },
      inputs: options.inputs,
      parameters: { [`${container}:${operation}`]: { ...parameters } },
      ...(token !== undefined && { services_api_key: token }),
    });
    orchestrator.watch(workflow_id, (change) => {
      if (change.kind === "task") show(change.task);
    });
    let cancelled: string | undefined;
    try {
      await orchestrator.wait(workflow_id, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
      const [task] = await orchestrator.tasks(workflow_id);
      cancelled = await cancel(client, handles.of(workflow_id), task?.task_id ?? "");
    }
    const [task] = await orchestrator.tasks(workflow_id);
    if (task === undefined) throw new TypeError(`Expected ${workflow_id} to have a task, found none`);
    const duration_ms = Math.round(performance.now() - began);
    return { workflow_id, task, duration_ms, ...(cancelled !== undefined && { cancelled }) };
  } finally {
    client.close();
    await orchestrator.close();
  }
}

/** A store that remembers what services call their tasks. @param onHandle its failures are told by the orchestrator, which asks as well */
function observeHandles(onHandle: (handle: string) => Promise<void>): {
  store: WorkflowStore;
  of(workflow_id: string): string | undefined;
} {
  const memory = createMemoryStore();
  const handles = new Map<string, string>();
  return {
    of: (workflow_id) => handles.get(workflow_id),
    store: {
      ...memory,
      append(append: Append) {
        for (const event of append.events) {
          if (event.type !== "serviceAccepted") continue;
          handles.set(append.workflow_id, event.handle);
          onHandle(event.handle).catch(() => {});
        }
        return memory.append(append);
      },
    },
  };
}

/**
 * Asks the service to stop a task (R-CANCEL-01), by the task's own name where the service has not
 * told another one yet (R-RUN-03).
 * @returns what came of it, as a sentence
 */
async function cancel(client: ControlClient, handle: string | undefined, task_id: string): Promise<string> {
  const id = handle ?? task_id;
  try {
    await client.cancel(id);
    const { reading } = await client.status(id);
    if (reading.status === "failed")
      return `the service stopped the task ${id}: ${printable(reading.error ?? "")}`;
    return `the service was asked to stop the task ${id}, which is ${reading.status}`;
  } catch (error) {
    if (error instanceof ControlError && [404, 405, 501].includes(error.peer_status ?? 0)) {
      return handle === undefined
        ? "the service knows of nothing to cancel; what it took goes on there"
        : `the service cannot cancel; the task ${id} goes on there`;
    }
    return `the task ${id} may go on: ${(error as Error).message}`;
  }
}
