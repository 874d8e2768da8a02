import type { ExportPlan, PlannedService } from "../plan/export-plan.ts";

/** What of an export is deployed. */
export type Deployment = Pick<ExportPlan, "services" | "metadata">;

/** How a compose file is made. */
export interface ComposeOptions {
  /** Build images from the use case's Dockerfiles instead of pulling them. @default false */
  dev?: boolean;
  /** The build context, relative to the compose file. @default "." */
  context?: string;
  /** Where the use case lies in the build context, as in `use-cases/energy`. @default "": it is the context */
  prefix?: string;
  /** Host port of the first control port; the others follow. @default 18081 */
  control_base_port?: number;
  /** Host port of the first gRPC port; the others follow. @default 50051 */
  base_port?: number;
  /** Put the reference orchestrator into the same file, on host port 18000. @default false */
  orchestrator?: boolean;
}

/** One service of the compose file: all containers of the export that share an address. */
export interface ComposeService {
  /** The address under which the others reach it. */
  host: string;
  containers: readonly string[];
  image: string;
  dockerfile: string | undefined;
  control_port: number;
  host_control_port: number;
  grpc_port: number;
  host_grpc_port: number;
  /** Hosts that have to be healthy before; never itself, never in a circle. */
  depends_on: readonly string[];
}

/** What the text of a compose file is made from. */
export interface ComposeModel {
  name: string;
  services: readonly ComposeService[];
  /** Containers whose address is none of a Docker network: they run elsewhere. */
  elsewhere: readonly { container_name: string; ip_address: string }[];
  options: Required<ComposeOptions>;
}

/** The orchestrator's own host port; services must not take it. */
const orchestratorPort = 18_000;
/** How the others reach it; services must not be called so. */
const orchestratorHost = "orchestrator";
const grpcPort = 50_051;

/** Decides what runs where. @throws RangeError when host ports would clash or run out, or hosts clash */
export function planCompose(plan: Deployment, given: ComposeOptions = {}): ComposeModel {
  const options = {
    dev: false,
    context: ".",
    prefix: "",
    control_base_port: 18_081,
    base_port: 50_051,
    orchestrator: false,
    ...given,
  };
  const local = plan.services.filter(({ ip_address }) => isServiceName(ip_address));
  const hosts = [...new Set(local.map(({ ip_address }) => ip_address))];
  assertPorts(options, hosts.length);
  const inTheWay = options.orchestrator && local.find(({ ip_address }) => ip_address === orchestratorHost);
  if (inTheWay) {
    throw new RangeError(
      `Expected the host "${orchestratorHost}" to be free for the orchestrator, found it to be the ip_address of ${inTheWay.container_name}; give that another one, or leave the orchestrator out`,
    );
  }
  const dependencies = dependenciesOf(local);
  const services = hosts.map((host, index): ComposeService => {
    const own = local.filter(({ ip_address }) => ip_address === host);
    const [first] = own as [PlannedService];
    return {
      host,
      containers: own.map(({ container_name }) => container_name),
      image: first.image,
      dockerfile: own.find(({ dockerfile }) => dockerfile !== undefined)?.dockerfile,
      control_port: first.port,
      host_control_port: options.control_base_port + index,
      // Nothing can listen to both at one port.
      grpc_port: first.port === grpcPort ? grpcPort + 1 : grpcPort,
      host_grpc_port: options.base_port + index,
      depends_on: dependencies.get(host) ?? [],
    };
  });
  const elsewhere = plan.services
    .filter(({ ip_address }) => !isServiceName(ip_address))
    .map(({ container_name, ip_address }) => ({ container_name, ip_address }));
  return { name: projectName(plan.metadata.use_case_name), services, elsewhere, options };
}

/** Who takes data of whom, by host. Two roles of one service can make a circle: what comes second is left out. */
function dependenciesOf(services: readonly PlannedService[]): Map<string, string[]> {
  const hostOf = new Map(services.map(({ container_name, ip_address }) => [container_name, ip_address]));
  const dependencies = new Map<string, string[]>();
  const leadsTo = (from: string, to: string, seen = new Set<string>()): boolean => {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return (dependencies.get(from) ?? []).some((next) => leadsTo(next, to, seen));
  };
  for (const { ip_address, depends_on } of services) {
    for (const container of depends_on) {
      const host = hostOf.get(container);
      const known = dependencies.get(ip_address) ?? [];
      if (host === undefined || known.includes(host) || leadsTo(host, ip_address)) continue;
      dependencies.set(ip_address, [...known, host].sort());
    }
  }
  return dependencies;
}

/** A name that Docker's network resolves; an IP address and a full domain name are somebody else's. */
function isServiceName(host: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_-]*$/.test(host) && !/^\d+$/.test(host) && host !== "localhost";
}

/** Compose wants lower case. */
function projectName(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9_-]/g, "-")
      .replace(/^[^a-z0-9]+/, "") || "pipeline"
  );
}

function assertPorts(
  { control_base_port, base_port, orchestrator }: Required<ComposeOptions>,
  count: number,
): void {
  const ranges = [
    ["control ports", control_base_port],
    ["gRPC ports", base_port],
  ] as const;
  for (const [what, first] of ranges) {
    const last = first + count - 1;
    if (!Number.isInteger(first) || first < 1 || last > 65_535) {
      throw new RangeError(
        `Expected ${count} ${what} from ${first} on to lie between 1 and 65535; choose another base port`,
      );
    }
    if (orchestrator && first <= orchestratorPort && orchestratorPort <= last) {
      throw new RangeError(
        `Expected the ${what} ${first} to ${last} to leave out ${orchestratorPort}, the orchestrator's; choose another base port`,
      );
    }
  }
  if (Math.abs(control_base_port - base_port) < count) {
    throw new RangeError(
      `Expected ${count} control ports from ${control_base_port} on and as many gRPC ports from ${base_port} on to be apart, they overlap; choose other base ports`,
    );
  }
}
