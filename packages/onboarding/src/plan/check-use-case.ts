import type { UseCase } from "../model/use-case.ts";
import { type Problem, sortProblems } from "../problems/problem.ts";
import type { ReadUseCase } from "../read/read-use-case.ts";
import type { PlanOptions } from "./export-plan.ts";
import { type ResolvedPlanOptions, resolvePlanOptions } from "./options.ts";
import { everyProtoHasMethods } from "./rules/every-proto-has-methods.ts";
import { everythingIsReached } from "./rules/everything-is-reached.ts";
import { hostPortsArePublished } from "./rules/host-ports-are-published.ts";
import { messagesMatch } from "./rules/messages-match.ts";
import { namesAreDistinct } from "./rules/names-are-distinct.ts";
import { namesAreValid } from "./rules/names-are-valid.ts";
import { noCycle } from "./rules/no-cycle.ts";
import { noDuplicates } from "./rules/no-duplicates.ts";
import { rewritesLoseNothing } from "./rules/rewrites-lose-nothing.ts";
import { startIsFirst } from "./rules/start-is-first.ts";
import { strictProfile } from "./rules/strict-profile.ts";

/** Judges a use case as a whole. Pure. */
export type Rule = (useCase: UseCase, options: ResolvedPlanOptions) => Problem[];

const rules: readonly Rule[] = [
  namesAreValid,
  namesAreDistinct,
  everyProtoHasMethods,
  messagesMatch,
  rewritesLoseNothing,
  noCycle,
  noDuplicates,
  startIsFirst,
  everythingIsReached,
  hostPortsArePublished,
  strictProfile,
];

/**
 * Everything that is wrong with a use case, in the order in which one reads: what reading it found
 * and what the rules say of the rest.
 *
 * @throws TypeError for an option that makes no sense
 */
export function checkUseCase({ use_case, problems }: ReadUseCase, given: PlanOptions = {}): Problem[] {
  const options = resolvePlanOptions(given);
  const found = use_case === undefined ? [] : rules.flatMap((rule) => rule(use_case, options));
  return sortProblems([...problems, ...found]);
}
