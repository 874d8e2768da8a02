import type { ServiceDefinition } from "@grpc/grpc-js";
import {
  type AnyDefinition,
  loadFileDescriptorSetFromBuffer,
  loadSync,
  type PackageDefinition,
} from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { protoPath as healthProto } from "grpc-health-check";
import { descriptors as ownDescriptors } from "../generated/descriptors.ts";

/** Tells callers which services there are, and their messages, as grpcurl asks. */
export function createReflection(
  descriptors: readonly Uint8Array[],
  services: readonly ServiceDefinition[],
): ReflectionService {
  const files = [ownDescriptors, ...descriptors].map((set) =>
    loadFileDescriptorSetFromBuffer(Buffer.from(set)),
  );
  const definition: PackageDefinition = Object.assign(
    {},
    ...services.map(describedBy),
    loadSync(healthProto),
    ...files,
  );
  return new ReflectionService(definition);
}

/** What definitions of @grpc/proto-loader bring along: the files that their messages are described in. */
function describedBy(service: ServiceDefinition): PackageDefinition {
  return Object.fromEntries(
    Object.values(service).flatMap((rpc): [string, AnyDefinition][] => {
      const { responseType } = rpc as { responseType?: AnyDefinition };
      return responseType !== undefined && "fileDescriptorProtos" in responseType
        ? [[`${rpc.path} `, responseType]]
        : [];
    }),
  );
}
