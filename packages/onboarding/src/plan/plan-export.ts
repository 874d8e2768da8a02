import { toCreationDate } from "../model/creation-date.ts";
import type { UseCaseService } from "../model/use-case.ts";
import { ProblemsError, sortProblems } from "../problems/problem.ts";
import type { ReadUseCase } from "../read/read-use-case.ts";
import { checkUseCase } from "./check-use-case.ts";
import type { Blueprint, BlueprintNode, ExportPlan, PlanOptions } from "./export-plan.ts";
import { exportProtos } from "./export-protos.ts";
import { type Graph, toGraph, toKey } from "./graph.ts";
import { hostPortOf } from "./host-port.ts";
import { toBlueprintName, toContainer } from "./names.ts";
import { resolvePlanOptions } from "./options.ts";
import { planServices } from "./plan-services.ts";
import { toUuid } from "./uuid.ts";

/** Where containers find their host; what `--local` writes. */
const localHost = "host.docker.internal";
/** What a blueprint says whose use case tells no date. */
const noDate = "1980-01-01";

/**
 * Decides what an export has in it. Pure: no disk, no clock, no chance; the same use case and
 * options give the same plan.
 *
 * @throws ProblemsError with every problem, warnings included, when one of them is an error
 * @throws TypeError for an option that makes no sense
 */
export function planExport(read: ReadUseCase, given: PlanOptions = {}): ExportPlan {
  const options = resolvePlanOptions(given);
  const problems = checkUseCase(read, given);
  const { use_case } = read;
  if (use_case === undefined || problems.some(({ severity }) => severity === "error")) {
    throw new ProblemsError(problems);
  }
  const graph = toGraph(use_case);
  const { protos, rpcs } = exportProtos(use_case, graph, options);
  const services = planServices(use_case, graph, options);
  const images = new Map(services.map(({ folder, image }) => [folder, image]));
  const nodes = use_case.services.map((service) =>
    toNode(service, graph, rpcs, images.get(service.folder) ?? ""),
  );
  const name = toBlueprintName(use_case.name);
  const blueprint: Blueprint = {
    nodes,
    name,
    pipeline_id: toUuid(JSON.stringify([use_case.name, nodes, [...protos]])),
    creation_date: toCreationDate(options.creation_date ?? use_case.pipeline.creation_date ?? noDate),
    type: "pipeline-topology/v2",
    version: "2.0",
  };
  return {
    problems: sortProblems(problems),
    blueprint,
    dockerinfo: {
      docker_info_list: use_case.services.map((service) => ({
        container_name: toContainer(service.folder),
        ip_address: options.local ? localHost : service.ip_address,
        port: String(options.local ? hostPortOf(service, use_case) : service.port),
      })),
    },
    metadata: {
      use_case_name: use_case.name,
      use_case_directory: use_case.name,
      source_path: `../../use-cases/${use_case.name}`,
      services: services.map(({ ip_address, container_name, image }) => ({
        service_name: ip_address,
        container_name,
        image_name: image,
      })),
    },
    protos,
    services,
  };
}

type Operations = BlueprintNode["operation_signature_list"];

function toNode(
  { folder, proto }: UseCaseService,
  { keys, successors, predecessors }: Graph,
  rpcs: ReadonlyMap<string, { input: string; output: string }>,
  image: string,
): BlueprintNode {
  const container_name = toContainer(folder);
  const own = proto.services
    .flatMap((service) => service.rpcs)
    .map((rpc) => ({ rpc, key: toKey(folder, rpc.name) }))
    .filter(({ key }) => keys.has(key));
  const operations: Operations = own.map(({ rpc, key }) => {
    const { input, output } = rpcs.get(key) ?? rpc;
    return {
      connected_to: (successors.get(key) ?? []).map(toTarget),
      operation_signature: {
        operation_name: rpc.name,
        output_message_name: output,
        input_message_name: input,
        output_message_stream: rpc.output_stream,
        input_message_stream: rpc.input_stream,
      },
    };
  });
  return {
    proto_uri: `microservice/${container_name}.proto`,
    image,
    node_type: !own.some(({ key }) => predecessors.has(key))
      ? "DataSource"
      : own.some(({ key }) => successors.has(key))
        ? "MLModel"
        : "DataSink",
    container_name,
    operation_signature_list: operations,
  };
}

function toTarget(key: string): Operations[number]["connected_to"][number] {
  const [folder = "", operation_name = ""] = key.split(":");
  return { container_name: toContainer(folder), operation_signature: { operation_name } };
}
