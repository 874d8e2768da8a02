import { concurrentService, type Service, type ServiceOptions } from "@aieffect/service-kit";
import * as operations from "./gen/registry.ts";
import { plane } from "./plane.ts";

/** The service with all its operations; tests give options of their own. */
export function createService(options: Partial<ServiceOptions> = {}): Service {
  const name = "feeder-meter";
  return concurrentService({
    name,
    operations: Object.values(operations),
    planes: [plane],
    ...options,
  });
}
