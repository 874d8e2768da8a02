import { concurrentService, type Service, type ServiceOptions } from "@aieffect/service-kit";
import * as operations from "./gen/registry.ts";

/** The service with all its operations; tests give options of their own. */
export function createService(options: Partial<ServiceOptions> = {}): Service {
  const name = "load-forecaster";
  return concurrentService({ name, operations: Object.values(operations), ...options });
}
