/** What a status was, and between when. */
export interface Observation {
  status: string;
  /** Both in the history's time. */
  sent_at: number;
  ended_at: number;
}

/**
 * The reference model of tasks: a handle belongs to one request, and its status is running until it
 * is, once and for all, complete or failed (R-STAT-05). Calls overlap, so an order is only demanded
 * between one that had ended and one that was sent after that.
 */
export class Ledger {
  readonly #owners = new Map<string, string>();
  readonly #ends = new Map<string, Observation>();
  /** The one that was sent last. */
  readonly #running = new Map<string, Observation>();

  /** Notes that a handle was told to an owner. @returns what contradicts it */
  issued(handle: string, owner: string): string | undefined {
    const before = this.#owners.get(handle);
    this.#owners.set(handle, before ?? owner);
    if (before === undefined || before === owner) return undefined;
    return `handle ${handle} was told for ${owner}, and for ${before} before`;
  }

  /** Notes what a handle's status was. @returns what contradicts it */
  saw(handle: string, now: Observation): string | undefined {
    const end = this.#ends.get(handle);
    const running = this.#running.get(handle);
    if (now.status === "running") {
      if (running === undefined || now.sent_at > running.sent_at) this.#running.set(handle, now);
      return end !== undefined && now.sent_at > end.ended_at
        ? `${handle} was ${end.status}, then running`
        : undefined;
    }
    // The earliest end is the strictest.
    if (end === undefined || now.ended_at < end.ended_at) this.#ends.set(handle, now);
    if (end !== undefined && end.status !== now.status)
      return `${handle} was ${end.status}, then ${now.status}`;
    return running !== undefined && running.sent_at > now.ended_at
      ? `${handle} was ${now.status}, then running`
      : undefined;
  }

  /** How a task has ended, as far as it was seen. */
  endOf(handle: string): string | undefined {
    return this.#ends.get(handle)?.status;
  }
}
