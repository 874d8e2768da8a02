import { authMutants } from "./auth.ts";
import { concurrentMutants } from "./concurrent.ts";
import { coreMutants } from "./core.ts";
import { e2eMutants } from "./e2e.ts";
import { isolationMutants } from "./isolation.ts";
import { monitorMutants } from "./monitors.ts";
import { sequentialMutants } from "./sequential.ts";

/** All of them. */
export const mutants = [
  ...coreMutants,
  ...sequentialMutants,
  ...concurrentMutants,
  ...authMutants,
  ...isolationMutants,
  ...e2eMutants,
  ...monitorMutants,
];
