import { createProtobufPlane, type ProtobufPlane } from "@aieffect/data-plane-protobuf";
import { startOperation, type TestService } from "@aieffect/energy-services/testing";
import type { Operation } from "@aieffect/service-kit";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { DataAnalyzerServiceService } from "../generated/data_analyzer.ts";
import { DataGeneratorServiceService } from "../generated/data_generator.ts";
import { descriptors } from "../generated/descriptors.ts";
import { ReportGeneratorServiceService } from "../generated/report_generator.ts";
import { createAnalyzeData } from "../services/data_analyzer/src/operation.ts";
import { createGenerateData } from "../services/data_generator/src/operation.ts";
import { createGenerateReport } from "../services/report_generator/src/operation.ts";

/** A service whose results are served over gRPC. */
export interface TypedTestService extends TestService {
  plane: ProtobufPlane;
  /** `host:port` of its gRPC side. */
  address: string;
}

export const startGenerator = () => start(DataGeneratorServiceService, createGenerateData);
export const startAnalyzer = () => start(DataAnalyzerServiceService, createAnalyzeData);
export const startReporter = () => start(ReportGeneratorServiceService, createGenerateReport);

async function start<P>(
  service: ServiceDefinition,
  create: (plane: ProtobufPlane) => Operation<P>,
): Promise<TypedTestService> {
  const plane = createProtobufPlane({ services: [service], descriptors, port: 0 });
  const running = await startOperation(create(plane), { planes: [plane] });
  if (plane.address === undefined) throw new Error("Expected the plane to listen, found that it does not");
  return { ...running, plane, address: plane.address };
}
