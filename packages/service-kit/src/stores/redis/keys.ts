/** The names of everything that is kept for one namespace. */
export interface RedisKeys {
  /** Hash of one execution: `v` version, `x` the execution as JSON, `a` its first answer, `r` who runs it. */
  execution(handle: string): string;
  /** Sorted set of the handles under a raw task_id, newest last (R-RUN-05). */
  rawId(task_id: string): string;
  /** The handle that runs with this fingerprint: at most one, because a second is attached to it (R-IDEM-03). */
  runningAs(workflow_id: string, task_id: string, fingerprint: string): string;
  /** The handle that an Idempotency-Key led to; keys are scoped to workflow and task (R-IDEM-06). */
  idempotencyKey(workflow_id: string, task_id: string, key: string): string;
  /** Set of the handles that a replica runs. */
  runningOn(replica: string): string;
  /** Is there while a replica lives. */
  lease(replica: string): string;
  /** Set of replicas that may run something. */
  readonly replicas: string;
  /** Sorted set of what has ended, by the time of the end; members hold the sizes that retention asks for. */
  readonly ended: string;
  /** Hash of folders that no execution has, each with who noted it. */
  readonly folders: string;
  /** Counts beginnings and ends, to keep an order among equal times. */
  readonly serial: string;
  /** Channel on which every change is told. */
  readonly changes: string;
}

/**
 * All names of a namespace have one hash tag, so that a cluster keeps them in one slot and scripts
 * may touch them together. Ids stand in them as JSON, which tells any two texts apart, lone
 * surrogates included.
 */
export function createKeys(namespace: string): RedisKeys {
  const tag = JSON.stringify(namespace).replaceAll("{", "\\u007b").replaceAll("}", "\\u007d");
  const name = (kind: string, ...ids: string[]) =>
    `aieffect:{${tag}}:${kind}${ids.length === 0 ? "" : `:${JSON.stringify(ids)}`}`;
  return {
    execution: (handle) => name("execution", handle),
    rawId: (task_id) => name("task", task_id),
    runningAs: (workflow_id, task_id, fingerprint) => name("running-as", workflow_id, task_id, fingerprint),
    idempotencyKey: (workflow_id, task_id, key) => name("key", workflow_id, task_id, key),
    runningOn: (replica) => name("running-on", replica),
    lease: (replica) => name("lease", replica),
    replicas: name("replicas"),
    ended: name("ended"),
    folders: name("folders"),
    serial: name("serial"),
    changes: name("changes"),
  };
}
