import type { ConformanceCase } from "../engine/case.ts";
import { authCases } from "./auth/index.ts";
import { concurrentCases } from "./concurrent/index.ts";
import { coreCases } from "./core/index.ts";
import { dataPlaneCases } from "./data-plane/index.ts";
import { e2eCases } from "./e2e/index.ts";
import { extensionCases } from "./extensions/index.ts";
import { isolationCases } from "./isolation/index.ts";
import { monitorCases } from "./monitors/index.ts";
import { performanceCases } from "./performance/index.ts";
import { robustnessCases } from "./robustness/index.ts";
import { sequentialCases } from "./sequential/index.ts";

/** All cases, in the order in which they run: what is cheap and telling first, what can do harm last, monitors at the end. */
export const catalogue: readonly ConformanceCase[] = [
  ...coreCases,
  ...sequentialCases,
  ...concurrentCases,
  ...authCases,
  ...dataPlaneCases,
  ...robustnessCases,
  ...isolationCases,
  ...performanceCases,
  ...extensionCases,
  ...e2eCases,
  ...monitorCases,
];
