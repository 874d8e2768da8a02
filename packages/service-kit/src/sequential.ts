import type { ServiceOptions } from "./options.ts";
import { createService, type Service } from "./service.ts";

/** A service whose operations answer with their result (R-RUN-01), unless one says otherwise. For work of under 30 s. */
export function sequentialService(options: ServiceOptions): Service {
  return createService(options, "sequential");
}
