import { loadFileDescriptorSetFromBuffer, loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { protoPath as healthProto } from "grpc-health-check";
import { descriptors as ownDescriptors } from "../generated/descriptors.ts";

/** Tells callers which services there are, and their messages, as grpcurl asks. */
export function createReflection(descriptors: readonly Uint8Array[]): ReflectionService {
  const files = [ownDescriptors, ...descriptors].map((set) =>
    loadFileDescriptorSetFromBuffer(Buffer.from(set)),
  );
  const definition: PackageDefinition = Object.assign({}, loadSync(healthProto), ...files);
  return new ReflectionService(definition);
}
