import { concurrentMutants } from "./concurrent.ts";
import { coreMutants } from "./core.ts";
import { isolationMutants } from "./isolation.ts";

/** All of them. */
export const mutants = [...coreMutants, ...concurrentMutants, ...isolationMutants];
