import { oneNode } from "./e01-one-node.ts";
import { chain } from "./e02-chain.ts";
import { join } from "./e03-join.ts";
import { twoWorkflows } from "./e04-two-workflows.ts";
import { failure } from "./e05-failure.ts";
import { longTask } from "./e06-long-task.ts";

export const e2eCases = [oneNode, chain, join, twoWorkflows, failure, longTask];
