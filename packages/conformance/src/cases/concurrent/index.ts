import { runningHasId } from "./t01-running-has-id.ts";
import { idPathSafe } from "./t02-id-path-safe.ts";
import { ackPrompt } from "./t03-ack-prompt.ts";
import { visibleAtOnce } from "./t04-visible-at-once.ts";
import { statusShape } from "./t05-status-shape.ts";
import { progressSane } from "./t06-progress-sane.ts";
import { reachesTerminal } from "./t07-reaches-terminal.ts";
import { terminalAbsorbing } from "./t08-terminal-absorbing.ts";
import { outputAtComplete } from "./t09-output-at-complete.ts";
import { outputEarly } from "./t10-output-early.ts";
import { failedTask } from "./t11-failed-task.ts";
import { crashBecomesFailed } from "./t12-crash-becomes-failed.ts";
import { rereadStable } from "./t13-reread-stable.ts";
import { retention } from "./t14-retention.ts";
import { reexecuteSafe } from "./t15-reexecute-safe.ts";
import { fastTaskNotLost } from "./t16-fast-task-not-lost.ts";
import { pollingIsPure } from "./t17-polling-is-pure.ts";

export const concurrentCases = [
  runningHasId,
  idPathSafe,
  ackPrompt,
  visibleAtOnce,
  statusShape,
  progressSane,
  reachesTerminal,
  terminalAbsorbing,
  outputAtComplete,
  outputEarly,
  failedTask,
  crashBecomesFailed,
  rereadStable,
  reexecuteSafe,
  fastTaskNotLost,
  pollingIsPure,
  // Last: by now most of its time has passed.
  retention,
];
