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
   * @default none: reflection tells of no messages of theirs
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
  /** So long a fetch may bring nothing, over all its attempts, in ms. @default 20,000, because a caller waits 30 s for a sequential operation */
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
