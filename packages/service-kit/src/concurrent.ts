import type { ServiceOptions } from "./options.ts";
import { createService, type Service } from "./service.ts";

/** A service whose operations run in the background and are polled (R-RUN-02), unless one says otherwise. */
export function concurrentService(options: ServiceOptions): Service {
  return createService(options, "concurrent");
}
