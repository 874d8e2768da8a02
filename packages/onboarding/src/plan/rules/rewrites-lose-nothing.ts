import type { Rule } from "../check-use-case.ts";
import { exportProtos } from "../export-protos.ts";
import { toGraph } from "../graph.ts";

/** A proto that is exported as it stands may have anything in it; one that is rewritten only what can be written. */
export const rewritesLoseNothing: Rule = (useCase, { align }) => [
  ...exportProtos(useCase, toGraph(useCase), { align }).lost,
];
