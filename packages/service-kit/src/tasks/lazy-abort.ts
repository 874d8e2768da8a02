/** An AbortController that is made when somebody asks for its signal: most short operations never do. */
export class LazyAbort {
  #controller: AbortController | undefined;
  #reason: Error | undefined;
  #listeners: Set<(reason: Error) => void> | undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    for (const listener of this.#listeners ?? []) listener(reason);
  }

  /** Calls back when it is aborted, at once if it was already. @returns stops listening */
  onAbort(listener: (reason: Error) => void): () => void {
    if (this.#reason !== undefined) listener(this.#reason);
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
    return () => this.#listeners?.delete(listener);
  }

  /** The result of the work, or the reason of the abort, whichever comes first. */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      work.then(resolve, reject);
      this.onAbort(reject);
    });
  }
}
