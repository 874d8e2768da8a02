import type { IncomingMessage } from "node:http";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clientAddress, clientOf } from "./client-address.ts";

const groups = fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 });

/** As most write it, or with all its zeros. */
function written(of: number[], long: boolean): string {
  const hex = of.map((group) => group.toString(16));
  return long ? hex.map((group) => group.padStart(4, "0").toUpperCase()).join(":") : hex.join(":");
}

describe("clientOf", () => {
  it("takes what is equal in the first 64 bits for one client, however it is written", () => {
    fc.assert(
      fc.property(groups, groups, (one, other) => {
        const neighbour = [...one.slice(0, 4), ...other.slice(4)];
        const isMapped = (of: number[]) => of.slice(0, 5).every((group) => group === 0) && of[5] === 0xffff;
        fc.pre(!isMapped(one) && !isMapped(neighbour));
        expect(clientOf(written(neighbour, true))).toBe(clientOf(written(one, false)));
      }),
    );
  });

  it("tells networks apart that differ in any bit of the first 64", () => {
    fc.assert(
      fc.property(groups, fc.nat(63), (one, bit) => {
        const other = [...one];
        other[bit >> 4] = (other[bit >> 4] as number) ^ (1 << (bit & 15));
        const [client, neighbour] = [clientOf(written(one, false)), clientOf(written(other, false))];
        expect(client).not.toBe(neighbour);
      }),
    );
  });

  it("takes an IPv4 address for the same client on whichever socket it comes", () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(clientOf(address)).toBe(address);
        expect(clientOf(`::ffff:${address}`)).toBe(address);
      }),
    );
  });

  it.each([
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["2001:db8::", "2001:db8:0:0::/64"],
    ["", ""],
  ])("of %j is %j", (address, client) => {
    expect(clientOf(address)).toBe(client);
  });
});

describe("clientAddress", () => {
  const of = (forwarded: string | undefined, proxies: number) =>
    clientAddress(
      {
        headers: { "x-forwarded-for": forwarded },
        socket: { remoteAddress: "10.0.0.9" },
      } as unknown as IncomingMessage,
      proxies,
    );

  it.each([
    ["8.8.8.8", 0, "10.0.0.9"],
    [undefined, 1, "10.0.0.9"],
    ["8.8.8.8", 1, "8.8.8.8"],
    ["6.6.6.6, 8.8.8.8", 1, "8.8.8.8"],
    ["6.6.6.6, 8.8.8.8,10.0.0.1", 2, "8.8.8.8"],
    ["8.8.8.8", 2, "8.8.8.8"],
    ["8.8.8.8:4711", 1, "8.8.8.8"],
    ["[2001:db8::1]:4711", 1, "2001:db8::1"],
    ["2001:db8::1", 1, "2001:db8::1"],
    ["unknown", 1, "10.0.0.9"],
    ["8.8.8.8, _hidden", 1, "10.0.0.9"],
    ["", 1, "10.0.0.9"],
  ])("of X-Forwarded-For %j behind %i proxies is %s", (forwarded, proxies, address) => {
    expect(of(forwarded, proxies)).toBe(address);
  });

  it("is an address whatever the header says, and never one that the caller wrote in front", () => {
    fc.assert(
      fc.property(fc.string(), fc.ipV4(), (forged, address) => {
        expect(of(`${forged},${address}`, 1)).toBe(address);
        const found = of(forged, 1);
        expect(found === "10.0.0.9" || forged.includes(found)).toBe(true);
      }),
    );
  });
});
