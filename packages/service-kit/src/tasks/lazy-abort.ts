const none: ((reason: Error) => void)[] = [];

/** An AbortController that is made when somebody asks for its signal: most short operations never do. */
export class LazyAbort {
  #controller: AbortController | undefined;
  #reason: Error | undefined;
  /** Mostly there is one at a time. */
  #listeners: ((reason: Error) => void)[] = none;

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
    for (const listener of this.#listeners) listener(reason);
  }

  /** Calls back when it is aborted, at once if it was already. @returns stops listening */
  onAbort(listener: (reason: Error) => void): () => void {
    if (this.#reason !== undefined) listener(this.#reason);
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    };
  }

  /**
   * The result of the work, or the reason of the abort, whichever comes first; `settled` is called
   * when the work itself is over, be it long after.
   */
  race<T>(work: Promise<T>, settled: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      this.onAbort(reject);
      work.then(
        (value) => {
          settled();
          resolve(value);
        },
        (error: unknown) => {
          settled();
          reject(error);
        },
      );
    });
  }
}
