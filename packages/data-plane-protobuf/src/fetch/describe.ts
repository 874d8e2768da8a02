import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { ControlError, type DataReference } from "@aieffect/control-interface";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import {
  type Client,
  type ClientDuplexStream,
  type Metadata,
  type MethodDefinition,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import {
  loadFileDescriptorSetFromBuffer,
  loadSync,
  type PackageDefinition,
  type ServiceDefinition,
} from "@grpc/proto-loader";
import type { Rpc } from "../reference/rpc.ts";

/** A message whose type was learnt at run time. */
export interface DescribedMessage {
  /** As it came. */
  bytes: Buffer;
  /** What is in it, by the names of the proto and fit for JSON: enums by name, 64-bit integers as texts, bytes in base64. */
  fields: object;
}

/** An RPC, as far as a reference names it. */
export interface NamedRpc {
  /** Undefined in references of deployed services, which name the method alone. */
  service: string | undefined;
  method: string;
}

const loading = { keepCase: true, longs: String, enums: String, bytes: String, defaults: true, json: true };

/** The RPC that a reference is to (R-GRPC-04); deployed ones tell of it with their format alone (R-REF-09). */
export function namedRpc({ format, metadata }: DataReference): NamedRpc {
  const [, service, method = format] = /^\/?(?:(.+)[/.])?([^/.]+)$/.exec(format) ?? [];
  const told = (metadata ?? {}) as Record<string, unknown>;
  return {
    service: typeof told.service === "string" ? told.service : service,
    method: typeof told.method === "string" ? told.method : method,
  };
}

/** The RPC in .proto files. @throws ControlError `invalid_reference` when they do not have it, Error when they cannot be read */
export function findInProtos(protos: readonly string[], named: NamedRpc): Rpc<DescribedMessage> {
  const folders = [...new Set(protos.map((file) => dirname(file)))];
  return findRpc(loadSync([...protos], { ...loading, includeDirs: folders }), named, protos.join(", "));
}

/** One question to a server's reflection. */
interface ReflectionRequest {
  list_services?: string;
  file_by_filename?: string;
  file_containing_symbol?: string;
}

interface ReflectionResponse {
  file_descriptor_response?: { file_descriptor_proto: Buffer[] } | null;
  list_services_response?: { service: { name: string }[] } | null;
  error_response?: { error_code: number; error_message: string } | null;
}

type Reflection = MethodDefinition<ReflectionRequest, ReflectionResponse>;

/**
 * The RPC as the server itself tells of it; undefined from one that has no reflection, or none of this service.
 * @throws ServiceError, ControlError
 */
export async function findByReflection(
  client: Client,
  named: NamedRpc,
  { peer, metadata, deadline_ms }: { peer: string; metadata: Metadata; deadline_ms: number },
): Promise<Rpc<DescribedMessage> | undefined> {
  // The older version is all that many servers have.
  for (const version of ["v1", "v1alpha"] as const) {
    const asking = openReflection(client, version, metadata, deadline_ms);
    try {
      const definitions = await describe(asking.ask, named);
      return definitions && findRpc(definitions, named, peer);
    } catch (error) {
      if ((error as ServiceError).code !== status.UNIMPLEMENTED) throw error;
    } finally {
      asking.close();
    }
  }
  return undefined;
}

/** All files that the service is described by; of all services where none is named. Undefined without any. */
async function describe(
  ask: (request: ReflectionRequest) => Promise<ReflectionResponse>,
  { service }: NamedRpc,
): Promise<PackageDefinition | undefined> {
  const services =
    service === undefined
      ? ((await ask({ list_services: "" })).list_services_response?.service ?? []).map(({ name }) => name)
      : [service];
  const files = new Map<string, Buffer>();
  const missing = new Set<string>();
  const take = ({ file_descriptor_response }: ReflectionResponse) => {
    for (const bytes of file_descriptor_response?.file_descriptor_proto ?? []) {
      const { name, dependency } = fromBinary(FileDescriptorProtoSchema, bytes);
      files.set(name, bytes);
      for (const other of dependency) missing.add(other);
    }
  };
  for (const name of services) {
    const found = await ask({ file_containing_symbol: name });
    // Node's servers know what is in no package with a dot in front.
    const isNone = !found.file_descriptor_response && !name.includes(".");
    take(isNone ? await ask({ file_containing_symbol: `.${name}` }) : found);
  }
  // Servers may leave it to the caller to ask for what a file imports; what is added meanwhile is visited, too.
  for (const name of missing) if (!files.has(name)) take(await ask({ file_by_filename: name }));
  if (files.size === 0) return undefined;
  const file = [...files.values()].map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  const set = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
  return loadFileDescriptorSetFromBuffer(Buffer.from(set), loading);
}

/** Asks one question after the other over one stream. */
function openReflection(client: Client, version: string, metadata: Metadata, deadline_ms: number) {
  const { path, requestSerialize, responseDeserialize } = reflectionOf(version);
  const call: ClientDuplexStream<ReflectionRequest, ReflectionResponse> = client.makeBidiStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    metadata,
    { deadline: Date.now() + deadline_ms },
  );
  const answers = call[Symbol.asyncIterator]() as AsyncIterator<ReflectionResponse>;
  return {
    async ask(request: ReflectionRequest): Promise<ReflectionResponse> {
      call.write(request);
      const { done, value } = await answers.next();
      if (done) return {};
      return value.error_response == null ? value : {};
    },
    close() {
      call.cancel();
    },
  };
}

function reflectionOf(version: string): Reflection {
  const own = dirname(createRequire(import.meta.url).resolve("@grpc/reflection/package.json"));
  const file = join(own, `build/proto/grpc/reflection/${version}/reflection.proto`);
  const service = loadSync(file, { keepCase: true, oneofs: true })[
    `grpc.reflection.${version}.ServerReflection`
  ] as ServiceDefinition;
  return service.ServerReflectionInfo as unknown as Reflection;
}

function findRpc(definitions: PackageDefinition, named: NamedRpc, where: string): Rpc<DescribedMessage> {
  const services = Object.entries(definitions).filter(
    (one): one is [string, ServiceDefinition] => !("format" in one[1]),
  );
  const found = services
    .filter(([name]) => named.service === undefined || name === named.service)
    .flatMap(([, service]) => (Object.hasOwn(service, named.method) ? [service[named.method]] : []))
    .filter((rpc) => rpc !== undefined);
  const [rpc] = found;
  if (rpc === undefined || found.length > 1) {
    const wanted = named.service === undefined ? named.method : `${named.service}/${named.method}`;
    const all = services.flatMap(([name, service]) =>
      Object.keys(service).map((method) => `${name}/${method}`),
    );
    throw new ControlError(
      "invalid_reference",
      `Expected the rpc ${wanted} once in ${where}, found ${rpc === undefined ? all.join(", ") || "none" : found.map(({ path }) => path.slice(1)).join(", ")}`,
    );
  }
  const { responseDeserialize } = rpc;
  return { ...rpc, responseDeserialize: (bytes) => ({ bytes, fields: responseDeserialize(bytes) }) };
}
