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
    /** As written; undefined where it is not said. */
    start_service: string | undefined;
  };
  /** Sorted by folder name. */
  services: readonly UseCaseService[];
  connections: readonly Connection[];
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
