import type { Problem } from "../problems/problem.ts";
import type { Proto } from "../proto/proto.ts";

/** A use case as its author wrote it, read and cross-checked as far as it can be read. */
export interface UseCase {
  /** The folder's own name, as in `file_based_energy_pipeline`. */
  name: string;
  /** Absolute. */
  folder: string;
  pipeline: {
    name: string;
    description: string;
    /** A folder name; undefined where it is not said, or names nothing. */
    start_service: string | undefined;
    /** Where connections.json says it. */
    start_line: number;
    /** As written; undefined where it is not said. */
    creation_date: string | undefined;
  };
  /** Sorted by folder name. */
  services: readonly UseCaseService[];
  connections: readonly Connection[];
  /** Folder names that connections name which have something wrong: those services are not without a connection. */
  also_connected: ReadonlySet<string>;
  /** What docker-compose.yml publishes; undefined where there is none. */
  published: PublishedPorts | undefined;
}

/** One node: a folder below `services/` with its mapping. */
export interface UseCaseService {
  /** snake_case, as in `data_analyzer`. */
  folder: string;
  /** Host name on the Docker network, or an address. */
  ip_address: string;
  /** The HTTP control port. */
  port: number;
  /** Relative to the use case, with `/`. */
  proto_file: string;
  proto: Proto;
  /** Relative to the use case; undefined where the folder has none. */
  dockerfile: string | undefined;
}

/** Ports of the host, as a compose file maps them. */
export interface PublishedPorts {
  /** Relative to the use case. */
  file: string;
  /** By compose service; further names it answers to on the network have the same entry. */
  services: ReadonlyMap<string, { line: number; ports: readonly { host: number; container: number }[] }>;
  /** Why it could not be read as a whole; they matter only to who needs the ports. */
  problems: readonly Problem[];
}

/** Which RPC of one node feeds which RPC of another. */
export interface Connection {
  /** Folder names. */
  from_service: string;
  from_method: string;
  to_service: string;
  to_method: string;
  /** Where it stands in connections.json. */
  line: number;
}
