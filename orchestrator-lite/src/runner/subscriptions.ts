import type { Logger } from "../logging/logger.ts";
import type { Change, WorkflowView } from "../views/views.ts";

/** Is told every change of a workflow. */
export type Listener = (change: Change) => void;

/** Who wants to know about which workflow. The results of the two adders end the subscription. */
export interface Subscriptions {
  /** Every change. */
  add(workflow_id: string, listener: Listener): () => void;
  /** Only the end. */
  addEnd(workflow_id: string, listener: (workflow: WorkflowView) => void): () => void;
  /** Whether anyone wants every change: spares building views for nobody. */
  has(workflow_id: string): boolean;
  tell(workflow_id: string, change: Change): void;
  /** Tells the end and ends all subscriptions of the workflow. */
  tellEnd(workflow_id: string, workflow: () => WorkflowView): void;
}

/** Nobody listens yet. A listener that throws is logged and harms nobody else. */
export function createSubscriptions(logger: Logger | undefined): Subscriptions {
  const listeners = new Map<string, Set<{ call: Listener }>>();
  const enders = new Map<string, Set<{ call: (workflow: WorkflowView) => void }>>();

  function tell<T>(workflow_id: string, entries: Iterable<{ call: (value: T) => void }>, value: T): void {
    for (const { call } of [...entries]) {
      try {
        call(value);
      } catch (error) {
        logger?.error({ workflow_id, err: error }, "a listener of a workflow threw");
      }
    }
  }

  return {
    add: (workflow_id, listener) => addTo(listeners, workflow_id, { call: listener }),
    addEnd: (workflow_id, listener) => addTo(enders, workflow_id, { call: listener }),
    has: (workflow_id) => listeners.has(workflow_id),
    tell: (workflow_id, change) => tell(workflow_id, listeners.get(workflow_id) ?? [], change),
    tellEnd(workflow_id, workflow) {
      const changes = listeners.get(workflow_id);
      const ends = enders.get(workflow_id);
      listeners.delete(workflow_id);
      enders.delete(workflow_id);
      if (changes === undefined && ends === undefined) return;
      const view = workflow();
      tell(workflow_id, changes ?? [], { kind: "workflow", workflow: view });
      tell(workflow_id, ends ?? [], view);
    },
  };
}

/** Adds an entry, and gives what takes it out again. */
function addTo<Entry>(byWorkflow: Map<string, Set<Entry>>, workflow_id: string, entry: Entry): () => void {
  const entries = byWorkflow.get(workflow_id) ?? new Set();
  byWorkflow.set(workflow_id, entries.add(entry));
  return () => {
    entries.delete(entry);
    if (entries.size === 0 && byWorkflow.get(workflow_id) === entries) byWorkflow.delete(workflow_id);
  };
}
