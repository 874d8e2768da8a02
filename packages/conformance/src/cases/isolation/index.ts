import { sameTaskTwoWorkflows } from "./i01-same-task-two-workflows.ts";
import { parallelOutputs } from "./i02-parallel-outputs.ts";
import { failureContained } from "./i03-failure-contained.ts";
import { noParameterBleed } from "./i04-no-parameter-bleed.ts";
import { duplicateRace } from "./i05-duplicate-race.ts";
import { noTornCompletion } from "./i06-no-torn-completion.ts";
import { anyConnection } from "./i07-any-connection.ts";
import { restartHonest } from "./i08-restart-honest.ts";
import { gracefulStop } from "./i09-graceful-stop.ts";

export const isolationCases = [
  sameTaskTwoWorkflows,
  parallelOutputs,
  failureContained,
  noParameterBleed,
  duplicateRace,
  noTornCompletion,
  anyConnection,
  restartHonest,
  gracefulStop,
];
