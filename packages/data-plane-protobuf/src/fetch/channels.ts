import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import type { HostPolicy } from "@aieffect/control-interface";
import { type ChannelCredentials, Client, credentials } from "@grpc/grpc-js";
import type { PeerTls } from "../options.ts";

/** A peer to call. */
export interface Peer {
  /** Name or address, an IPv6 one without brackets. */
  host: string;
  port: number;
  tls: boolean;
}

/** Connections to peers, used again for further calls. */
export interface Channels {
  /**
   * Where a peer is, at this moment, one connection for each of its addresses.
   *
   * @throws ControlError `unreadable_reference` when the host must not be called; or what resolving threw
   */
  find(peer: Peer): Promise<Client[]>;
  /** Closes all of them; calls that go on fail. */
  close(): void;
}

/** What channels are made with. */
export interface ChannelParts {
  hosts: HostPolicy;
  peer_tls: PeerTls;
  /** Largest message that is taken. */
  max_bytes: number;
}

/** More peers than this are not held on to; who was called longest ago goes first. */
const maxChannels = 100;

/** So long a connection stays without a call, in ms. */
const idle_ms = 60_000;

/** Bytes that a peer may be ahead of the reader: less would wait for the way back of every 64 KiB. */
const window = 4 * 2 ** 20;

/**
 * Names are resolved here, so that what is connected to is what the policy has looked at. Of a name
 * with several addresses each has a channel of its own.
 */
export function createChannels({ hosts, peer_tls, max_bytes }: ChannelParts): Channels {
  const channels = new Map<string, Client>();
  const secure = credentials.createSsl(
    toBuffer(peer_tls.ca),
    toBuffer(peer_tls.key),
    toBuffer(peer_tls.cert),
  );
  const insecure = credentials.createInsecure();

  function open(peer: Peer, address: string): Client {
    const key = `${peer.tls ? "tls " : ""}${peer.host}:${peer.port} ${address}`;
    const known = channels.get(key);
    channels.delete(key);
    const client = known ?? connect(peer, address, peer.tls ? secure : insecure, max_bytes);
    channels.set(key, client);
    for (const [oldest, other] of channels) {
      if (channels.size <= maxChannels) break;
      channels.delete(oldest);
      // Calls that go on end first.
      other.close();
    }
    return client;
  }

  return {
    async find(peer) {
      const addresses = await resolve(peer, hosts);
      return addresses.map((address) => open(peer, address));
    },
    close() {
      for (const client of channels.values()) client.close();
      channels.clear();
    },
  };
}

function connect(peer: Peer, address: string, creds: ChannelCredentials, max_bytes: number): Client {
  const target = isIP(address) === 6 ? `ipv6:[${address}]:${peer.port}` : `ipv4:${address}:${peer.port}`;
  const authority = isIP(peer.host) === 6 ? `[${peer.host}]:${peer.port}` : `${peer.host}:${peer.port}`;
  return new Client(target, creds, {
    "grpc.default_authority": authority,
    ...(peer.tls && isIP(peer.host) === 0 && { "grpc.ssl_target_name_override": peer.host }),
    "grpc.max_receive_message_length": max_bytes,
    "grpc.client_idle_timeout_ms": idle_ms,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,
    "grpc-node.flow_control_window": window,
    // Fetching again is seen to by who fetches.
    "grpc.enable_retries": 0,
    "grpc.service_config_disable_resolution": 1,
    // A proxy would resolve names by itself.
    "grpc.enable_http_proxy": 0,
    "grpc.use_local_subchannel_pool": 1,
  });
}

function resolve({ host, port }: Peer, hosts: HostPolicy): Promise<string[]> {
  const family = isIP(host);
  hosts.assertUrl(new URL(`http://${family === 6 ? `[${host}]` : host}:${port}`));
  // An address has been looked at by now, and there is nothing to resolve.
  if (family !== 0) return Promise.resolve([host]);
  return new Promise((done, reject) => {
    hosts.lookup(host, { all: true }, (error, found) => {
      if (error) return reject(error);
      const addresses = (found as unknown as LookupAddress[]).map(({ address }) => address);
      done([...new Set(addresses)]);
    });
  });
}

function toBuffer(pem: string | Uint8Array | undefined): Buffer | null {
  return pem === undefined ? null : Buffer.from(pem as string);
}
