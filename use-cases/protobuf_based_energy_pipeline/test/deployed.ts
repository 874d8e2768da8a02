/**
 * Peers that know the protos of the deployed services and nothing else: no call metadata, empty
 * requests, one last result. Their protos are written down here once more, so that a field number
 * of ours that changes is noticed.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempFolder } from "@aieffect/test-support";
import {
  type Client,
  credentials,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
  type ServiceError,
} from "@grpc/grpc-js";
import { load } from "@grpc/proto-loader";
import { onTestFinished } from "vitest";

const protos = {
  "common.proto": `syntax = "proto3"; package common;
message EnergyRecord { string timestamp=1; string household_id=2; double power_consumption=3; double voltage=4; double current=5; }
message AnalyzedRecord { EnergyRecord original=1; double efficiency_score=2; bool is_anomaly=3; string anomaly_reason=4; }`,
  "input_provider.proto": `syntax = "proto3"; package input_provider;
service InputProvider { rpc GetConfiguration(GetConfigurationRequest) returns (GetConfigurationResponse); }
message GetConfigurationRequest { int32 num_records=1; }
message GetConfigurationResponse { bool success=1; string message=2; int32 num_records=3; }`,
  "data_generator.proto": `syntax = "proto3"; package data_generator; import "common.proto";
service DataGeneratorService { rpc GenerateData(GenerateDataRequest) returns (GenerateDataResponse); }
message GenerateDataRequest { int32 num_records=1; }
message GenerateDataResponse { bool success=1; string message=2; repeated common.EnergyRecord records=3; }`,
  "data_analyzer.proto": `syntax = "proto3"; package data_analyzer; import "common.proto";
service DataAnalyzerService { rpc AnalyzeData(AnalyzeDataRequest) returns (AnalyzeDataResponse); }
message AnalyzeDataRequest { repeated common.EnergyRecord records=1; double anomaly_threshold=2; }
message AnalyzeDataResponse { bool success=1; string message=2; repeated common.AnalyzedRecord analyzed_records=3; int32 total_records=4; int32 anomalies_detected=5; double average_efficiency=6; }`,
  "report_generator.proto": `syntax = "proto3"; package report_generator; import "common.proto";
service ReportGeneratorService { rpc GenerateReport(GenerateReportRequest) returns (GenerateReportResponse); }
message GenerateReportRequest { repeated common.AnalyzedRecord analyzed_records=1; int32 total_records=2; int32 anomalies_detected=3; double average_efficiency=4; }
message GenerateReportResponse { bool success=1; string message=2; repeated ReportSection sections=3; string summary=4; }
message ReportSection { string title=1; repeated string content=2; }`,
  "reflection.proto": `syntax = "proto3"; package grpc.reflection.v1;
service ServerReflection { rpc ServerReflectionInfo(stream ServerReflectionRequest) returns (stream ServerReflectionResponse); }
message ServerReflectionRequest { string host=1; oneof message_request { string file_containing_symbol=4; string list_services=7; } }
message ServerReflectionResponse { string valid_host=1; oneof message_response { FileDescriptorResponse file_descriptor_response=4; ListServiceResponse list_services_response=6; ErrorResponse error_response=7; } }
message FileDescriptorResponse { repeated bytes file_descriptor_proto=1; }
message ListServiceResponse { repeated ServiceResponse service=1; }
message ServiceResponse { string name=1; }
message ErrorResponse { int32 error_code=1; string error_message=2; }`,
  "health.proto": `syntax = "proto3"; package grpc.health.v1;
service Health { rpc Check(HealthCheckRequest) returns (HealthCheckResponse); }
message HealthCheckRequest { string service=1; }
message HealthCheckResponse { enum ServingStatus { UNKNOWN=0; SERVING=1; NOT_SERVING=2; SERVICE_UNKNOWN=3; } ServingStatus status=1; }`,
};

/** A service's name with its package, e.g. `data_generator.DataGeneratorService`. */
type ServiceName = `${string}.${string}`;

async function constructorOf(service: ServiceName): Promise<ServiceClientConstructor> {
  const folder = await tempFolder();
  for (const [name, text] of Object.entries(protos)) await writeFile(join(folder, name), text);
  const definitions = await load(Object.keys(protos), {
    includeDirs: [folder],
    keepCase: true,
    defaults: true,
    enums: String,
  });
  const found = service
    .split(".")
    .reduce<unknown>(
      (inner, part) => (inner as Record<string, unknown>)[part],
      loadPackageDefinition(definitions),
    );
  return found as ServiceClientConstructor;
}

/** A client that asks as deployed services ask. */
export interface DeployedClient {
  /** The answer to a request without metadata; empty, unless one is given. @throws ServiceError */
  // biome-ignore lint/suspicious/noExplicitAny: an answer of any service
  ask(method: string, request?: Record<string, unknown>): Promise<any>;
  /** The first answer of a method that takes and gives streams. @throws ServiceError */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  askStream(method: string, request: Record<string, unknown>): Promise<any>;
}

/** A plain gRPC client, for one test. */
export async function createDeployedClient(service: ServiceName, address: string): Promise<DeployedClient> {
  const Constructor = await constructorOf(service);
  const client = new Constructor(address, credentials.createInsecure());
  onTestFinished(() => client.close());
  // biome-ignore lint/suspicious/noExplicitAny: methods by name, as the proto has them
  const methods = client as Client & Record<string, any>;
  return {
    ask: (method, request = {}) =>
      new Promise((resolve, reject) => {
        methods[method](request, (error: ServiceError | null, answer: unknown) => {
          if (error === null) resolve(answer);
          else reject(error);
        });
      }),
    askStream: (method, request) =>
      new Promise((resolve, reject) => {
        const call = methods[method]();
        call.on("error", reject);
        call.once("data", (answer: unknown) => {
          resolve(answer);
          call.end();
        });
        call.write(request);
      }),
  };
}

/** A server that has one RPC and answers it as it is told, whatever it is asked. @returns its `host:port` */
export async function startDeployedServer(
  service: ServiceName,
  method: string,
  answer: () => Record<string, unknown>,
): Promise<string> {
  const { service: definition } = await constructorOf(service);
  const server = new Server();
  server.addService(definition, {
    [method]: (_call: unknown, done: (error: null, message: unknown) => void) => done(null, answer()),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  onTestFinished(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}
