import type { Problem } from "../problems/problem.ts";

/** What the portal and an orchestrator read of one RPC. */
export interface OperationSignature {
  operation_name: string;
  output_message_name: string;
  input_message_name: string;
  output_message_stream: boolean;
  input_message_stream: boolean;
}

/** One node of a blueprint, in the order in which its members are written. */
export interface BlueprintNode {
  proto_uri: string;
  image: string;
  /** Without an incoming connection a DataSource, else without an outgoing one a DataSink, else an MLModel. */
  node_type: "DataSource" | "MLModel" | "DataSink";
  container_name: string;
  operation_signature_list: {
    connected_to: { container_name: string; operation_signature: { operation_name: string } }[];
    operation_signature: OperationSignature;
  }[];
}

/** blueprint.json */
export interface Blueprint {
  nodes: BlueprintNode[];
  name: string;
  /** UUID v5 of the use case's name and content: the same input, the same id. */
  pipeline_id: string;
  /** `YYYY-MM-DD HH:MM:SS.ffffff`, from the use case; see PlanOptions.creation_date. */
  creation_date: string;
  type: "pipeline-topology/v2";
  version: "2.0";
}

/** dockerinfo.json; ports are texts. */
export interface DockerInfo {
  docker_info_list: { container_name: string; ip_address: string; port: string }[];
}

/** generation_metadata.json */
export interface GenerationMetadata {
  use_case_name: string;
  use_case_directory: string;
  source_path: string;
  services: { service_name: string; container_name: string; image_name: string }[];
}

/** Everything that an export writes; nothing has been written yet. */
export interface ExportPlan {
  /** Warnings only: with an error there is no plan. */
  problems: readonly Problem[];
  blueprint: Blueprint;
  dockerinfo: DockerInfo;
  metadata: GenerationMetadata;
  /** Texts by path, as in `microservice/data_analyzer1.proto`, self-contained. */
  protos: ReadonlyMap<string, string>;
  /** What compose files and build scripts are made from, sorted by container. */
  services: readonly PlannedService[];
}

/** One container. */
export interface PlannedService {
  /** The folder below services/. */
  folder: string;
  /** Folder name and `1`. */
  container_name: string;
  /** Host name on the network; several containers may share it, and are then one compose service. */
  ip_address: string;
  port: number;
  /** With registry, tag or digest, as in the blueprint. */
  image: string;
  dockerfile: string | undefined;
  /** Containers whose outputs it takes; a connection that leads back to an earlier one is left out. */
  depends_on: readonly string[];
}

/** How an export is planned. */
export interface PlanOptions {
  /** `ai4eu-strict` adds what the older designer demands of protos. @default "portal" */
  profile?: "portal" | "ai4eu-strict";
  /** Give exported copies of downstream protos the upstream's output message name. @default false */
  align?: boolean;
  /** For containers on this machine: host.docker.internal and the host ports of docker-compose.yml. @default false */
  local?: boolean;
  /** Put before image names, as in `registry.example.org/energy`. @default none */
  registry?: string;
  /** @default "latest" */
  tag?: string;
  /** `sha256:...` by image name without registry and tag; such images are pinned instead of tagged. @default none */
  digests?: Readonly<Record<string, string>>;
  /** As in `2026-02-25 01:55:50`. @default `creation_date` of connections.json, else 1980-01-01: never the clock */
  creation_date?: string;
}
