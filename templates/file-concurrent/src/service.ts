import { concurrentService, type Service, type ServiceOptions } from "@aieffect/service-kit";
import * as operations from "./gen/registry.ts";

/** The service with all its operations; tests give options of their own. */
export function createService(options: Partial<ServiceOptions> = {}): Service {
  return concurrentService({ name: "load-forecaster", operations: Object.values(operations), ...options });
}
