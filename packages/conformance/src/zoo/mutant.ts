import type { Code } from "../codes/codes.ts";
import type { Settings } from "../engine/context.ts";
import type { Hooks, PristineOptions } from "./pristine.ts";

/** A pristine service with one fault. */
export interface Mutant {
  /** As in `status-completed`; permanent. */
  id: string;
  /** The case that has to catch it. */
  breaks: string;
  /** The code with which that case has to end. */
  code: Code;
  /** What is wrong with it, in one sentence. */
  summary: string;
  /** How it is started, beside the fault. */
  service?: Omit<PristineOptions, "hooks">;
  /** Cases that are run before, for what looks at the whole of a run; they have to hold. */
  after?: readonly string[];
  /** How the suite is run against it. */
  settings?: Partial<Settings>;
  /** It has no row in the kill matrix, because it breaks or slows calls so that every case takes long, or because other cases change it. @default false */
  rowless?: boolean;
  /** The fault. It calls `fired` whenever it acts: one that never fires proves nothing. */
  fault(fired: () => void): Hooks;
  /** It runs as a process of its own, with this environment instead of `service`; `FAULT` names a fault of pristine-main. */
  spawned?: Readonly<Record<string, string>>;
}

/** Declares a mutant; here so that it is checked where it is written. */
export function defineMutants(...mutants: Mutant[]): readonly Mutant[] {
  return mutants;
}
