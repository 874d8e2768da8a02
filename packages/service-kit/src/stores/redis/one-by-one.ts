import type { Execution, ExecutionChange } from "../../tasks/execution.ts";

/** Writes changes of one execution; for each the execution or, where it came too late, undefined. */
export type Write = (
  handle: string,
  changes: readonly ExecutionChange[],
  onlyIfDead: boolean,
) => Promise<(Execution | undefined)[]>;

/** A change that was asked for. */
interface Wanted {
  change: ExecutionChange;
  onlyIfDead: boolean;
  done: Promise<Execution | undefined>;
  resolve(execution: Execution | undefined): void;
  reject(error: unknown): void;
}

/**
 * Changes of one execution are written one after the other, in the order of the calls; those that
 * wait meanwhile are written together. `onlyIfDead` asks for the condition that who runs it is dead.
 */
export function createOneByOne(
  write: Write,
): (handle: string, change: ExecutionChange, onlyIfDead?: boolean) => Promise<Execution | undefined> {
  const queues = new Map<string, Wanted[]>();

  async function drain(handle: string, queue: Wanted[]): Promise<void> {
    while (queue.length > 0) {
      const conditional = queue.findIndex(({ onlyIfDead }) => onlyIfDead);
      const batch = queue.splice(0, conditional < 0 ? queue.length : Math.max(1, conditional));
      const changes = batch.map(({ change }) => change);
      try {
        const results = await write(handle, changes, conditional === 0);
        for (const [index, { resolve }] of batch.entries()) resolve(results[index]);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    queues.delete(handle);
  }

  return (handle, change, onlyIfDead = false) => {
    const queue = queues.get(handle);
    const last = queue?.at(-1);
    if (last !== undefined && !last.onlyIfDead && !onlyIfDead && isCovered(change, last.change)) {
      const { progress } = last.change;
      last.change = { ...last.change, ...change, ...(progress !== undefined && { progress }) };
      return last.done;
    }
    const wanted = { change, onlyIfDead, ...withResolvers<Execution | undefined>() };
    if (queue !== undefined) queue.push(wanted);
    else {
      const begun = [wanted];
      queues.set(handle, begun);
      void drain(handle, begun);
    }
    return wanted.done;
  };
}

/** It adds nothing but a message to the progress that waits still: an operation may report in a tight loop. */
function isCovered(change: ExecutionChange, waiting: ExecutionChange): boolean {
  return isReport(change) && isReport(waiting) && (change.progress ?? 0) <= (waiting.progress ?? 0);
}

function isReport(change: ExecutionChange): boolean {
  return Object.keys(change).every((name) => name === "progress" || name === "message");
}

/** Promise.withResolvers, which Node 20 does not have. */
function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const done = new Promise<T>((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  });
  return { done, resolve, reject };
}
