import { fileURLToPath } from "node:url";
import { createProtobufPlane } from "@aieffect/data-plane-protobuf";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** An RPC that answers with messages of this shape; what it is asked with does not matter here. */
type Rpc<Response> = MethodDefinition<unknown, Response>;

/** The service of a proto, read as it is when the program starts. */
function loadService(proto: string, name: string): ServiceDefinition {
  const file = fileURLToPath(new URL(`../proto/${proto}`, import.meta.url));
  const service = loadSync(file, { keepCase: true, longs: Number, defaults: true })[name];
  if (service === undefined) throw new Error(`Expected a service ${name} in ${file}, found none`);
  return service as ServiceDefinition;
}

const proto_file = "feeder-meter.proto";
const service_name = "FeederMeterService";
const own = loadService(proto_file, service_name);

/** Typed messages over gRPC: operations publish and fetch them through it. */
export const plane = createProtobufPlane({ services: [own] });

/** An RPC of this service, to publish under: `rpc<Readings>("ReadFeeder")`. */
export function rpc<Response>(name: string): Rpc<Response> {
  return rpcOf<Response>(own, name);
}

function rpcOf<Response>(service: ServiceDefinition, name: string): Rpc<Response> {
  const found = service[name];
  if (found === undefined) throw new Error(`Expected the rpc ${name} in the proto, found none`);
  return found as Rpc<Response>;
}
