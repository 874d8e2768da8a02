import { neverRunning } from "./q01-never-running.ts";
import { hasOutput } from "./q02-has-output.ts";
import { outcomeExclusive } from "./q03-outcome-exclusive.ts";
import { repeatable } from "./q04-repeatable.ts";
import { healthDuringWork } from "./q05-health-during-work.ts";
import { clientAbort } from "./q06-client-abort.ts";

export const sequentialCases = [
  neverRunning,
  hasOutput,
  outcomeExclusive,
  repeatable,
  healthDuringWork,
  clientAbort,
];
