import { ControlError } from "@aieffect/control-interface";
import type { TaskStore } from "../index.ts";

/** A store that can be told to refuse calls, as one does whose server is away. */
export interface MoodyStore extends TaskStore {
  /** The calls that are refused at present. */
  refused: Set<keyof TaskStore>;
  /** How many calls were refused so far. */
  refusals: number;
}

/** Puts moods before a store that works. */
export function createMoodyStore(store: TaskStore): MoodyStore {
  const refused: MoodyStore["refused"] = new Set();
  const moody: MoodyStore = {
    ...store,
    refused,
    refusals: 0,
    ready: () => ask("ready", () => store.ready()),
    begin: (...args) => ask("begin", () => store.begin(...args)),
    find: (...args) => ask("find", () => store.find(...args)),
    update: (...args) => ask("update", () => store.update(...args)),
    answered: (...args) => ask("answered", () => store.answered(...args)),
  };
  async function ask<T>(name: keyof TaskStore, call: () => Promise<T>): Promise<T> {
    if (!refused.has(name)) return call();
    moody.refusals++;
    throw new ControlError("store_unavailable", "The store is away");
  }
  return moody;
}
