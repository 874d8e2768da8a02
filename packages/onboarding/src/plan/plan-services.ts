import type { UseCase } from "../model/use-case.ts";
import type { PlannedService } from "./export-plan.ts";
import { cyclesIn, type Graph, reach } from "./graph.ts";
import { toContainer, toImage } from "./names.ts";
import type { ResolvedPlanOptions } from "./options.ts";

/** The containers, sorted by folder. */
export function planServices(useCase: UseCase, graph: Graph, options: ResolvedPlanOptions): PlannedService[] {
  const dependencies = dependenciesOf(graph);
  return useCase.services.map((service) => ({
    folder: service.folder,
    container_name: toContainer(service.folder),
    ip_address: service.ip_address,
    port: service.port,
    image: toImage(useCase, service, options),
    dockerfile: service.dockerfile,
    depends_on: (dependencies.get(service.folder) ?? []).map(toContainer).sort(),
  }));
}

/** Folders that each folder takes outputs of; RPCs may lead back and forth between two folders, containers may not. */
function dependenciesOf({ connections }: Graph): ReadonlyMap<string, readonly string[]> {
  const [before, after] = [new Map<string, string[]>(), new Map<string, string[]>()];
  for (const { from_service, to_service } of connections) {
    before.set(to_service, [...(before.get(to_service) ?? []), from_service]);
    after.set(from_service, [...(after.get(from_service) ?? []), to_service]);
  }
  const circular = cyclesIn(after, before);
  const dependencies = new Map<string, string[]>();
  for (const { from_service, to_service } of connections) {
    const known = dependencies.get(to_service) ?? [];
    if (known.includes(from_service)) continue;
    const mayClose = circular.has(from_service) && circular.has(to_service);
    if (mayClose && reach([from_service], dependencies).has(to_service)) continue;
    dependencies.set(to_service, [...known, from_service]);
  }
  return dependencies;
}
