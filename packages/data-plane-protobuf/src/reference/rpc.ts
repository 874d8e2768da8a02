import type { MethodDefinition } from "@grpc/grpc-js";

/** An RPC of a generated service definition, as in `DataGeneratorServiceService.generateData`. */
// biome-ignore lint/suspicious/noExplicitAny: what an RPC is asked with does not matter here
export type Rpc<Response> = MethodDefinition<any, Response>;

/** The two names of an RPC, as in references. */
export interface RpcName {
  /** With its package, as in `data_generator.DataGeneratorService`. */
  service: string;
  /** As in `GenerateData`. */
  method: string;
}

/** The names in a path, as in `/data_generator.DataGeneratorService/GenerateData`. */
export function toRpcName(path: string): RpcName {
  const [, service = "", method = ""] = /^\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  if (method === "") throw new TypeError(`Expected the path of an RPC, /service/method, got "${path}"`);
  return { service, method };
}

/** The RPC as people write it. */
export function fullName(path: string): string {
  return path.replace(/^\//, "");
}
