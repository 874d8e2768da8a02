import { authCodes } from "./auth.ts";
import { common } from "./common.ts";
import { concurrentCodes } from "./concurrent.ts";
import { coreCodes } from "./core.ts";
import { dataPlaneCodes } from "./data-plane.ts";
import { e2e } from "./e2e.ts";
import { extensionCodes } from "./extensions.ts";
import { isolationCodes } from "./isolation.ts";
import { monitorCodes } from "./monitors.ts";
import { performance } from "./performance.ts";
import { robustness } from "./robustness.ts";

/** Every reason that a check can end with. Self-tests bind to these words; one is never given another meaning. */
export const codes = {
  ...common,
  ...coreCodes,
  ...concurrentCodes,
  ...authCodes,
  ...dataPlaneCodes,
  ...robustness,
  ...isolationCodes,
  ...performance,
  ...extensionCodes,
  ...e2e,
  ...monitorCodes,
} as const satisfies Record<string, CodeText>;

/** As in `E_STATUS_LITERAL`. */
export type Code = keyof typeof codes;

/** What `explain` says about a code. */
export interface CodeText {
  /** What was found, in one sentence. */
  means: string;
  /** What to change. */
  fix: string;
}
