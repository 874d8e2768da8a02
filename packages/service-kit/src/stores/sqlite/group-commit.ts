import { Refusal } from "./database-file.ts";

/** Does writes in transactions that several share. */
export interface GroupCommit {
  /**
   * Does the work together with all that arrives in the same turn of the event loop, in the order of
   * the calls; resolves with what it gave when that is on the disk. `committed` is called just before
   * that. When the transaction fails, all of it is undone, and every one of its writes rejects.
   */
  write<T>(work: () => T, committed?: (value: T) => void): Promise<T>;
  /** Does now what waits. */
  flush(): void;
}

interface Write {
  work(): unknown;
  committed: ((value: never) => void) | undefined;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

/** So many writes share a transaction at most, lest the event loop stand still. */
const maxBatch = 1000;

/** Waiting for the disk is what a small write costs; here one wait serves all that came meanwhile. */
export function createGroupCommit(transaction: (work: () => void) => void): GroupCommit {
  const queue: Write[] = [];
  let scheduled = false;

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      commit(queue.splice(0, maxBatch));
      if (queue.length > 0) schedule();
    });
  }

  function commit(batch: readonly Write[]): void {
    if (batch.length === 0) return;
    const settle: (() => void)[] = [];
    try {
      transaction(() => {
        for (const write of batch) settle.push(perform(write));
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const one of settle) one();
  }

  return {
    write: <T>(work: () => T, committed?: (value: T) => void) =>
      new Promise<T>((resolve, reject) => {
        queue.push({ work, committed, resolve: resolve as Write["resolve"], reject });
        schedule();
      }),
    flush() {
      while (queue.length > 0) commit(queue.splice(0, maxBatch));
    },
  };
}

/** Does the work; what it gives back tells the caller, once the transaction is through. */
function perform({ work, committed, resolve, reject }: Write): () => void {
  try {
    const value = work();
    return () => {
      resolve(value);
      committed?.(value as never);
    };
  } catch (thrown) {
    // It was refused before it changed anything; the others go on.
    if (thrown instanceof Refusal) return () => reject(thrown.reason);
    throw thrown;
  }
}
