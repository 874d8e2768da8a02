import type { UseCase, UseCaseService } from "../model/use-case.ts";

/** The port of the host that leads to a service; undefined where the compose file publishes none. */
export function hostPortOf({ ip_address, port }: UseCaseService, { published }: UseCase): number | undefined {
  return published?.services.get(ip_address)?.ports.find(({ container }) => container === port)?.host;
}
