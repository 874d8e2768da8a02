import { authMutants } from "./auth.ts";
import { concurrentMutants } from "./concurrent.ts";
import { coreMutants } from "./core.ts";
import { dataPlaneMutants } from "./data-plane.ts";
import { e2eMutants } from "./e2e.ts";
import { extensionMutants } from "./extensions.ts";
import { isolationMutants } from "./isolation.ts";
import { monitorMutants } from "./monitors.ts";
import { performanceMutants } from "./performance.ts";
import { robustnessMutants } from "./robustness.ts";
import { sequentialMutants } from "./sequential.ts";

/** All of them. */
export const mutants = [
  ...coreMutants,
  ...sequentialMutants,
  ...concurrentMutants,
  ...authMutants,
  ...dataPlaneMutants,
  ...robustnessMutants,
  ...isolationMutants,
  ...performanceMutants,
  ...extensionMutants,
  ...e2eMutants,
  ...monitorMutants,
];
