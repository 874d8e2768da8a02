import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/**
 * The address that a call came from, and behind so many proxies the one that the outermost of them
 * saw. An entry of `X-Forwarded-For` that is no address counts as not there.
 */
export function clientAddress({ headers, socket }: IncomingMessage, proxies: number): string {
  const remote = socket.remoteAddress ?? "";
  if (proxies === 0) return remote;
  const forwarded = headers["x-forwarded-for"] as string | undefined;
  const entries = forwarded?.split(",") ?? [];
  // A call with fewer entries came in behind the outermost proxies.
  const entry = entries.at(-proxies) ?? entries[0];
  return toAddress(entry?.trim() ?? "") ?? remote;
}

/** What counts as one client: an IPv4 address, or a /64, which is what one customer has of IPv6. */
export function clientOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const plain = new URL(`http://[${address.split("%")[0]}]`).hostname.slice(1, -1);
  const [head = "", tail] = plain.split("::");
  const before = head.split(":").filter(Boolean);
  const after = tail?.split(":").filter(Boolean) ?? [];
  const groups = [...before, ...Array(8 - before.length - after.length).fill("0"), ...after];
  const [a, b, c, d, e, f, g, h] = groups.map((group) => Number.parseInt(group, 16));
  const isMapped = [a, b, c, d, e].every((group) => group === 0) && f === 0xffff;
  // IPv4 as a socket for both families shows it (RFC 4291, 2.5.5.2).
  if (isMapped) return [g, h].flatMap((group = 0) => [group >> 8, group & 255]).join(".");
  return `${groups.slice(0, 4).join(":")}::/64`;
}

/** Some proxies add the port. */
function toAddress(entry: string): string | undefined {
  const address = /^\[(.*)\](?::\d+)?$/.exec(entry)?.[1] ?? entry.replace(/^([\d.]+):\d+$/, "$1");
  return isIP(address) === 0 ? undefined : address;
}
