import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { HostPolicyOptions } from "@aieffect/control-interface";
import type { ServiceDefinition } from "@grpc/grpc-js";

/** What a protobuf plane can be told. */
export interface ProtobufPlaneOptions {
  /**
   * The services whose RPCs serve what operations publish, as ts-proto makes them
   * (`DataGeneratorServiceService`). RPCs that take a stream cannot be among them.
   * @default none: the plane only fetches and does not listen
   */
  services?: readonly ServiceDefinition[];
  /**
   * FileDescriptorSets of these services, for gRPC reflection: the generated `descriptors`.
   * @default none: reflection tells of the messages of those alone that @grpc/proto-loader has loaded
   */
  descriptors?: Uint8Array | readonly Uint8Array[];
  /** Port to listen on; 0 picks a free one. @default `GRPC_PORT`, else 50051 (R-ENV-03) */
  port?: number;
  /** Address to listen on. @default the service's own, `HOST` */
  listen_host?: string;
  /** Name under which peers reach the plane, in references. @default `GRPC_HOST`, else `listen_host` where that is an address of its own, else the host's name (R-ENV-03) */
  host?: string;
  /**
   * Ask callers for the service's key, as `authorization: Bearer <key>` (R-GRPC-08). Deployed peers send none.
   * @default whether `GRPC_REQUIRE_KEY` is 1
   */
  require_key?: boolean;
  /** Serve with TLS. @default the files `GRPC_TLS_CERT_FILE` and `GRPC_TLS_KEY_FILE`, else plain text */
  tls?: ServerTls;
  /** TLS towards peers: those whose reference says so, and those listed here. @default the CA in `GRPC_TLS_CA_FILE`, hosts in `GRPC_TLS_HOSTS`, separated by commas */
  peer_tls?: PeerTls;
  /**
   * Largest result that the named RPC answers with, in bytes; a larger one is served in chunks alone
   * (R-GRPC-06). Deployed peers take 4 MiB. @default 4 MiB
   */
  max_message_bytes?: number;
  /** Largest message that `fetchMessage` takes, and largest single one of `fetchMessages`, in bytes. @default 64 MiB */
  max_fetch_bytes?: number;
  /** Memory for results that are asked for again, in bytes; all are on disk. @default 64 MiB */
  max_memory_bytes?: number;
  /** So long a caller may take nothing of a stream, in ms; it is cut then. The call is reset after as long again for each MiB of the message that it does not take. @default 120,000 */
  send_idle_timeout_ms?: number;
  /** So long a fetch may bring nothing while its reader waits, over all its attempts, in ms. @default 20,000, because a caller waits 30 s for a sequential operation */
  fetch_idle_timeout_ms?: number;
  /** How often a fetch goes on after a failure that may be over in a moment. @default 4 */
  fetch_retries?: number;
  /** Wait before the first of these retries, in ms; doubled for each further one, up to 5 s. @default 100 */
  fetch_backoff_ms?: number;
  /** Which hosts may be fetched from. @default the service's own option */
  hosts?: HostPolicyOptions;
  /** Bearer keys of peers, by `host` or `host:port`; sent to no other (R-SIGN-04). @default the service's own option */
  peer_keys?: Readonly<Record<string, string>>;
}

/** A certificate to serve with, in PEM. */
export interface ServerTls {
  /** The certificate, with those between it and the root. */
  cert: string | Uint8Array;
  /** Its private key. */
  key: string | Uint8Array;
  /** Callers need a certificate of this authority. @default none: they need no certificate */
  client_ca?: string | Uint8Array;
}

/** How peers are called that serve with TLS. */
export interface PeerTls {
  /** The authority of their certificates, in PEM. @default those that Node knows */
  ca?: string | Uint8Array;
  /** A certificate of our own, for peers that ask for one. @default none */
  cert?: string | Uint8Array;
  /** Its private key. */
  key?: string | Uint8Array;
  /** Peers to call with TLS although their reference does not say so, by `host` or `host:port`. @default none */
  hosts?: readonly string[];
}

/** Options with every default filled in that does not come from the service. */
export interface ResolvedOptions {
  services: readonly ServiceDefinition[];
  descriptors: readonly Uint8Array[];
  port: number;
  listen_host: string | undefined;
  host: string | undefined;
  require_key: boolean;
  tls: ServerTls | undefined;
  peer_tls: PeerTls;
  max_message_bytes: number;
  max_fetch_bytes: number;
  max_memory_bytes: number;
  send_idle_timeout_ms: number;
  fetch_idle_timeout_ms: number;
  fetch_retries: number;
  fetch_backoff_ms: number;
  hosts: HostPolicyOptions | undefined;
  peer_keys: Readonly<Record<string, string>> | undefined;
}

const known = [
  "services",
  "descriptors",
  "port",
  "listen_host",
  "host",
  "require_key",
  "tls",
  "peer_tls",
  "max_message_bytes",
  "max_fetch_bytes",
  "max_memory_bytes",
  "send_idle_timeout_ms",
  "fetch_idle_timeout_ms",
  "fetch_retries",
  "fetch_backoff_ms",
  "hosts",
  "peer_keys",
] as const satisfies readonly (keyof ProtobufPlaneOptions)[];

/** Fills in defaults; the only place that reads the environment. @throws TypeError */
export function resolveOptions(given: ProtobufPlaneOptions = {}, env = process.env): ResolvedOptions {
  const odd = Object.keys(given).find((key) => !(known as readonly string[]).includes(key));
  if (odd !== undefined) {
    throw new TypeError(
      `Expected the options of a protobuf plane to be out of ${known.join(", ")}; got ${odd}`,
    );
  }
  const { descriptors = [] } = given;
  const port = given.port ?? Number(nonEmpty(env.GRPC_PORT) ?? 50_051);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new TypeError(
      `Expected port (GRPC_PORT) to be an integer from 0 to 65535, got ${given.port ?? env.GRPC_PORT}`,
    );
  }
  return {
    services: assertServices(given.services ?? []),
    descriptors: descriptors instanceof Uint8Array ? [descriptors] : descriptors,
    port,
    listen_host: given.listen_host,
    host: assertHost(given.host ?? nonEmpty(env.GRPC_HOST)),
    require_key: given.require_key ?? readFlag("GRPC_REQUIRE_KEY", env),
    tls: given.tls ?? readTls(env),
    peer_tls: given.peer_tls ?? readPeerTls(env),
    max_message_bytes: integer("max_message_bytes", given.max_message_bytes ?? 4 * 2 ** 20, 1),
    max_fetch_bytes: integer("max_fetch_bytes", given.max_fetch_bytes ?? 64 * 2 ** 20, 1),
    max_memory_bytes: integer("max_memory_bytes", given.max_memory_bytes ?? 64 * 2 ** 20, 0),
    send_idle_timeout_ms: integer("send_idle_timeout_ms", given.send_idle_timeout_ms ?? 120_000, 1),
    fetch_idle_timeout_ms: integer("fetch_idle_timeout_ms", given.fetch_idle_timeout_ms ?? 20_000, 1),
    fetch_retries: integer("fetch_retries", given.fetch_retries ?? 4, 0),
    fetch_backoff_ms: integer("fetch_backoff_ms", given.fetch_backoff_ms ?? 100, 1),
    hosts: given.hosts,
    peer_keys: given.peer_keys,
  };
}

/** The name for references (R-ENV-03): what is told, else an address that is listened on alone, else the machine's name. */
export function advertisedHost(host: string | undefined, listen_host: string): string {
  if (host !== undefined) return host;
  const isWildcard = listen_host === "0.0.0.0" || listen_host === "::";
  if (isWildcard) return hostname();
  return listen_host.includes(":") ? `[${listen_host}]` : listen_host;
}

function assertServices(services: readonly ServiceDefinition[]): readonly ServiceDefinition[] {
  if (!Array.isArray(services)) {
    throw new TypeError(
      "Expected services to be a list of generated service definitions, as in [GeneratorService]",
    );
  }
  const paths = new Set<string>();
  for (const service of services as readonly ServiceDefinition[]) {
    const methods = Object.values(service ?? {});
    if (methods.length === 0 || methods.some((method) => typeof method?.path !== "string")) {
      throw new TypeError(
        "Expected services to hold generated service definitions, whose RPCs have a path; got something else",
      );
    }
    for (const { path, requestStream } of methods) {
      if (requestStream)
        throw new TypeError(`Expected RPCs that take one request, got ${path}, which takes a stream`);
      if (paths.has(path)) throw new TypeError(`Expected every service once, got ${path} twice`);
      paths.add(path);
    }
  }
  return services;
}

function assertHost(host: string | undefined): string | undefined {
  if (host === undefined || /^(\[[0-9a-f:.]+\]|[^\s:/[\]]+)$/i.test(host)) return host;
  if (/^[0-9a-f:.]+$/i.test(host)) return `[${host}]`;
  throw new TypeError(`Expected host (GRPC_HOST) to be a name or an address without a port, got "${host}"`);
}

function readFlag(name: string, env: NodeJS.ProcessEnv): boolean {
  const value = nonEmpty(env[name])?.trim().toLowerCase();
  if (value === undefined || value === "0" || value === "false") return false;
  if (value === "1" || value === "true") return true;
  throw new TypeError(`Expected ${name} to be 1 or 0, got "${env[name]}"`);
}

function readTls(env: NodeJS.ProcessEnv): ServerTls | undefined {
  const cert = readPem("GRPC_TLS_CERT_FILE", env);
  const key = readPem("GRPC_TLS_KEY_FILE", env);
  if (cert === undefined && key === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return { cert, key };
  throw new TypeError(
    "Expected GRPC_TLS_CERT_FILE and GRPC_TLS_KEY_FILE, got one of them; set both or neither",
  );
}

function readPeerTls(env: NodeJS.ProcessEnv): PeerTls {
  const ca = readPem("GRPC_TLS_CA_FILE", env);
  const hosts = nonEmpty(env.GRPC_TLS_HOSTS)
    ?.split(",")
    .map((host) => host.trim());
  return { ...(ca !== undefined && { ca }), ...(hosts !== undefined && { hosts }) };
}

function readPem(name: string, env: NodeJS.ProcessEnv): Buffer | undefined {
  const file = nonEmpty(env[name]);
  if (file === undefined) return undefined;
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new TypeError(`Expected ${name} to name a readable file, got ${file}`, { cause });
  }
}

/** A variable that is set to nothing counts as not set, as in compose files. */
function nonEmpty(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === "" ? undefined : value;
}

function integer(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new TypeError(`Expected ${name} to be an integer of at least ${least}, got ${value}`);
}
