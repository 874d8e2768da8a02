import { createHash, randomBytes, randomUUID } from "node:crypto";
import { ControlError, canonicalJson } from "@aieffect/control-interface";
import { hasEnded, type WorkflowState } from "./core/state.ts";
import { toTraceparent } from "./core/trace.ts";
import { type OrchestratorOptions, resolveOptions } from "./options.ts";
import { createHostJudge } from "./planner/judge-host.ts";
import { parseSubmission, type Submission } from "./planner/parse-submission.ts";
import { planWorkflow } from "./planner/plan-workflow.ts";
import { createClientPool } from "./runner/client-pool.ts";
import { createRetention } from "./runner/retention.ts";
import { createRunner } from "./runner/runner.ts";
import { createSubscriptions, type Listener } from "./runner/subscriptions.ts";
import { createSubmissionKeys } from "./submission-keys.ts";
import { type TaskView, toTaskView, toWorkflowView, type WorkflowView } from "./views/views.ts";

/** What can go with a submission. */
export interface SubmitOptions {
  /** A submission with a key that is known, and the same content, answers the first one's id. */
  idempotency_key?: string;
  /** W3C trace context that the calls to services continue (R-TRACE-01). @default a new one, sampled */
  traceparent?: string;
}

/** An orchestrator that runs. Methods reject with ControlError `not_found` for a workflow that is not there. */
export interface Orchestrator {
  /** Base URL of the HTTP API; empty with `listen: false`. */
  readonly url: string;
  /**
   * Checks and starts a workflow; resolves as soon as it runs.
   * @throws InvalidDocumentError with every problem of the documents
   * @throws ControlError `invalid_request` for an unknown or missing member
   */
  submit(submission: Submission, options?: SubmitOptions): Promise<{ workflow_id: string }>;
  workflow(workflow_id: string): Promise<WorkflowView>;
  /** The tasks in blueprint order. */
  tasks(workflow_id: string): Promise<TaskView[]>;
  /** Resolves when the workflow has ended, completed or failed; rejects with `aborted` when given up or closed. */
  wait(workflow_id: string, options?: { signal?: AbortSignal }): Promise<WorkflowView>;
  /**
   * Calls back with every change of a workflow that runs, and of its tasks, until it has ended.
   * For one that has ended, or is not there, it is never called. The result ends it.
   */
  watch(workflow_id: string, listener: Listener): () => void;
  /** Cancels the workflow if it runs, asks services that can to cancel, and forgets it. */
  remove(workflow_id: string): Promise<void>;
  /** Stops listening, aborts all calls, frees everything. Workflows that ran stay unfinished. */
  close(): Promise<void>;
}

/** Starts an orchestrator inside this process. @throws TypeError for an option that makes no sense */
export async function createOrchestrator(given: OrchestratorOptions = {}): Promise<Orchestrator> {
  const options = resolveOptions(given);
  const { store, clock, logger, poll_interval_ms, random, hosts } = options;
  const pool = createClientPool(options);
  const subscriptions = createSubscriptions(logger);
  const keys = createSubmissionKeys();
  const waiting = new Set<() => void>();
  const { task_timeout_s, workflow_timeout_s, retry } = options;
  const defaults = { task_timeout_s, workflow_timeout_s, retry, judgeHost: createHostJudge(hosts) };
  const retention = createRetention(options, clock, (workflow_id) => {
    keys.drop(workflow_id);
    store.remove(workflow_id).catch((error: Error) => {
      logger?.error({ workflow_id, err: error }, "an old workflow could not be removed");
    });
  });
  const onEnded = (workflow_id: string) => retention.add(workflow_id);
  const runner = createRunner({
    store,
    pool,
    clock,
    random,
    poll_interval_ms,
    subscriptions,
    logger,
    onEnded,
  });

  async function load(workflow_id: string): Promise<WorkflowState> {
    const state = runner.state(workflow_id) ?? (await store.load(workflow_id));
    if (state === undefined) throw new ControlError("not_found", "Workflow not found");
    return state;
  }

  async function submit(submission: Submission, { idempotency_key, ...given }: SubmitOptions = {}) {
    const parsed = parseSubmission(submission);
    const { services_api_key, ...content } = parsed;
    // The services key is part of what has to be the same; only a hash of it is kept.
    const hash = idempotency_key === undefined ? "" : sha256(canonicalJson(parsed));
    const known = idempotency_key === undefined ? undefined : keys.find(idempotency_key, hash);
    if (known !== undefined) return known;
    const traceparent = toTraceparent(given.traceparent, () => randomBytes(24).toString("hex"));
    const spec = planWorkflow(content, { ...defaults, traceparent });
    // The last 12 digits of a random UUID are all random, and Node keeps a stock of them.
    const workflow_id = `wf-${randomUUID().slice(-12)}`;
    const started = runner
      .start(workflow_id, spec, services_api_key || undefined)
      .then(() => ({ workflow_id }));
    if (idempotency_key !== undefined) keys.add(idempotency_key, hash, workflow_id, started);
    return started;
  }

  const orchestrator = {
    submit,
    workflow: async (workflow_id: string) => toWorkflowView(await load(workflow_id)),
    async tasks(workflow_id: string) {
      const state = await load(workflow_id);
      return state.spec.nodes.map((_node, index) => toTaskView(state, index));
    },
    async wait(workflow_id: string, { signal }: { signal?: AbortSignal } = {}) {
      // Without a pause between looking and listening, or the end could fall in between.
      const state = runner.state(workflow_id) ?? (await load(workflow_id));
      if (hasEnded(state)) return toWorkflowView(state);
      return new Promise<WorkflowView>((resolve, reject) => {
        const stop = () => {
          waiting.delete(onClose);
          signal?.removeEventListener("abort", onAbort);
          unsubscribe();
        };
        const giveUp = (why: string) => {
          stop();
          reject(
            new ControlError("aborted", `Waiting for ${workflow_id}: ${why}`, { cause: signal?.reason }),
          );
        };
        const onAbort = () => giveUp("given up by the caller");
        const onClose = () => giveUp("the orchestrator was closed");
        const unsubscribe = subscriptions.addEnd(workflow_id, (workflow) => {
          stop();
          resolve(workflow);
        });
        waiting.add(onClose);
        signal?.addEventListener("abort", onAbort, { once: true });
        if (signal?.aborted) onAbort();
      });
    },
    watch(workflow_id: string, listener: Listener) {
      if (runner.state(workflow_id) === undefined) return () => {};
      return subscriptions.add(workflow_id, listener);
    },
    async remove(workflow_id: string) {
      await load(workflow_id);
      await runner.cancel(workflow_id);
      retention.remove(workflow_id);
      keys.drop(workflow_id);
      await store.remove(workflow_id);
    },
  };

  // Imported only when there is an HTTP API: programs without one start faster.
  const server = options.listen
    ? await (await import("./http/start-server.ts")).startServer(orchestrator, options)
    : undefined;
  let closed: Promise<void> | undefined;
  return {
    ...orchestrator,
    url: server?.url ?? "",
    close() {
      closed ??= (async () => {
        const serverClosed = server?.close();
        for (const giveUp of [...waiting]) giveUp();
        retention.stop();
        await Promise.all([serverClosed, runner.close()]);
        pool.close();
      })();
      return closed;
    },
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
