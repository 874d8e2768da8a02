import { invalid } from "./planner/parse-submission.ts";

/** What a submission is answered with. */
type Answer = Promise<{ workflow_id: string }>;

/** Idempotency keys of submissions; each lives as long as its workflow is kept. */
export interface SubmissionKeys {
  /** The first answer under a key, or undefined for a new key. @throws ControlError 422 for other content (R-IDEM-02) */
  find(key: string, hash: string): Answer | undefined;
  /** Remembers an answer that may still be on its way; one that fails is forgotten. */
  add(key: string, hash: string, workflow_id: string, answer: Answer): void;
  /** Forgets the key of a workflow. */
  drop(workflow_id: string): void;
}

/** No keys yet. */
export function createSubmissionKeys(): SubmissionKeys {
  const byKey = new Map<string, { hash: string; answer: Answer }>();
  const keyOf = new Map<string, string>();
  function drop(workflow_id: string): void {
    const key = keyOf.get(workflow_id);
    keyOf.delete(workflow_id);
    if (key !== undefined) byKey.delete(key);
  }
  return {
    find(key, hash) {
      const known = byKey.get(key);
      if (known === undefined || known.hash === hash) return known?.answer;
      const msg =
        "This Idempotency-Key came with another submission before; use a new key for a new submission";
      throw invalid([{ loc: ["header", "Idempotency-Key"], msg, type: "idempotency_mismatch" }]);
    },
    add(key, hash, workflow_id, answer) {
      byKey.set(key, { hash, answer });
      keyOf.set(workflow_id, key);
      answer.catch(() => drop(workflow_id));
    },
    drop,
  };
}
