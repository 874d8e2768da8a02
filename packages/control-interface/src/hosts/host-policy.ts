import { lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { ControlError } from "../errors/control-error.ts";

/** Which hosts may be called. Untrusted documents and references name hosts; this is what they may name. */
export interface HostPolicyOptions {
  /**
   * Only these: host names, `*.suffix` for all below a domain, addresses or CIDR ranges.
   * Link-local and metadata addresses stay refused even when listed.
   * @default every loopback, private and public host
   */
  allow_hosts?: readonly string[];
}

/** Decides before a connection is made, by name, and again after resolution, by address. */
export interface HostPolicy {
  /** @throws ControlError `unreadable_reference` when this URL's host must not be called */
  assertUrl(url: URL): void;
  /** For `lookup` of node:http and node:net: resolves, and refuses addresses that must not be called. */
  lookup: LookupFunction;
}

/** Cloud metadata services and networks that no service lives in; never called. */
const neverCalled: [network: string, prefix: number][] = [
  ["169.254.0.0", 16], // link-local, most clouds' metadata (RFC 3927)
  ["0.0.0.0", 8], // "this network": reaches loopback behind a filter's back (RFC 1122)
  ["224.0.0.0", 4], // multicast
  ["255.255.255.255", 32], // broadcast
  ["100.100.100.200", 32], // Alibaba Cloud metadata
  ["192.0.0.192", 32], // Oracle Cloud metadata
  ["168.63.129.16", 32], // Azure host agent
  ["fe80::", 10], // link-local (RFC 4291)
  ["ff00::", 8], // multicast
  ["::", 96], // unspecified, and IPv4-compatible addresses (RFC 4291); ::1 is let through
  ["fd00:ec2::254", 128], // AWS metadata over IPv6
  ["fd20:ce::254", 128], // Google Cloud metadata over IPv6
  ["64:ff9b::a9fe:0", 112], // link-local behind NAT64 (RFC 6052)
  ["2002:a9fe::", 32], // link-local behind 6to4 (RFC 3056)
];

const refusedAddresses = toBlockList(neverCalled.map(([network, prefix]) => `${network}/${prefix}`));

/** Builds a policy; pure until its `lookup` is used. @throws TypeError for an entry that is neither host, address nor range */
export function createHostPolicy(options: HostPolicyOptions = {}): HostPolicy {
  const allowed = options.allow_hosts === undefined ? undefined : parseAllowed(options.allow_hosts);

  function assertAddress(host: string, address: string): void {
    if (isListed(refusedAddresses, address)) {
      throw refused(host, address, "link-local and metadata addresses are never called");
    }
    if (allowed === undefined || allowed.byName(host) || isListed(allowed.addresses, address)) return;
    throw refused(host, address, `only these hosts are: ${options.allow_hosts?.join(", ")}`);
  }

  return {
    assertUrl(url) {
      const host = url.hostname.replace(/^\[|\]$/g, "");
      if (isIP(host) !== 0) assertAddress(host, host);
    },
    lookup(hostname, lookupOptions, callback) {
      lookup(hostname, { ...lookupOptions, all: true }, (error, addresses) => {
        if (error !== null) return callback(error, "", 0);
        try {
          for (const { address } of addresses) assertAddress(hostname, address);
        } catch (refusal) {
          return callback(refusal as NodeJS.ErrnoException, "", 0);
        }
        if (lookupOptions.all) return callback(null, addresses);
        const [first] = addresses;
        callback(null, first?.address ?? "", first?.family ?? 0);
      });
    },
  };
}

function refused(host: string, address: string, why: string): ControlError {
  const where = host === address ? host : `${host} (${address})`;
  return new ControlError("unreadable_reference", `Refused to call ${where}: ${why}`);
}

function parseAllowed(entries: readonly string[]) {
  const isAddress = (entry: string) => isIP(entry.split("/")[0] as string) !== 0;
  const names = entries.filter((entry) => !isAddress(entry)).map((entry) => entry.toLowerCase());
  for (const name of names) {
    if (!/^(\*\.)?[a-z0-9_.-]+$/.test(name)) {
      throw new TypeError(`Expected a host name, *.suffix, an address or a CIDR range, got "${name}"`);
    }
  }
  return {
    addresses: toBlockList(entries.filter(isAddress)),
    byName: (host: string) =>
      names.some((name) =>
        name.startsWith("*.") ? host.toLowerCase().endsWith(name.slice(1)) : host.toLowerCase() === name,
      ),
  };
}

function toBlockList(entries: string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [network = "", prefix] = entry.split("/");
    const family = isIP(network) === 6 ? "ipv6" : "ipv4";
    list.addSubnet(network, prefix === undefined ? (family === "ipv6" ? 128 : 32) : Number(prefix), family);
  }
  return list;
}

function isListed(list: BlockList, address: string): boolean {
  const plain = address.split("%")[0] as string;
  if (plain === "::1" && list === refusedAddresses) return false;
  return list.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4");
}
