import { delimiter } from "node:path";

/** What the services of a run share. */
export interface ServiceEnvironment {
  /** The shared storage; becomes `DATA_DIR` (R-ENV-05). */
  data_dir: string;
  /** Further folders that `file` inputs may lie in; becomes `DATA_ROOTS`. @default none */
  data_roots?: readonly string[];
  /** Any other variables; they win over everything else. */
  extra?: Readonly<Record<string, string>>;
}

/**
 * The environment of a service on this machine: what the caller's shell has, on a free port of
 * 127.0.0.1, and on another for gRPC. The shell's `SELF_URL`, `GRPC_HOST`, `DATA_ROOTS` and `LOG_DIR`
 * are left out, because they could only be right for one service of several.
 */
export function toServiceEnvironment(
  { data_dir, data_roots = [], extra = {} }: ServiceEnvironment,
  env: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const { SELF_URL: _url, GRPC_HOST: _name, LOG_DIR: _logs, DATA_ROOTS: _roots, ...rest } = env;
  return {
    ...rest,
    HOST: "127.0.0.1",
    PORT: "0",
    GRPC_PORT: "0",
    DATA_DIR: data_dir,
    ...(data_roots.length > 0 && { DATA_ROOTS: data_roots.join(delimiter) }),
    ...extra,
  };
}
