import { isIPv6 } from "node:net";
import type { HostPolicy } from "@aieffect/control-interface";
import { showValue } from "./shape.ts";

/** Why a host of a dockerinfo cannot be called, or undefined. */
export type HostJudge = (host: string) => string | undefined;

/** Verdicts that are remembered; the same few hosts come with every submission. */
const remembered = 1000;

/**
 * Judges hosts by a policy, each one once: addresses here, names only by their spelling, because
 * what they resolve to is judged at every connection.
 */
export function createHostJudge(hosts: HostPolicy): HostJudge {
  const verdicts = new Map<string, string | undefined>();
  return (host) => {
    if (!verdicts.has(host)) {
      if (verdicts.size >= remembered) verdicts.clear();
      verdicts.set(host, judge(hosts, host));
    }
    return verdicts.get(host);
  };
}

/** The beginning of a URL with that host. */
export function toOrigin(host: string): string {
  return isIPv6(host) ? `http://[${host}]` : `http://${host}`;
}

function judge(hosts: HostPolicy, host: string): string | undefined {
  const origin = toOrigin(host);
  if (
    !/^[A-Za-z0-9_.:[\]-]+$/.test(host) ||
    !URL.canParse(origin) ||
    /:\d*$/.test(origin.replace(/\[.*\]/, "").slice(7))
  ) {
    return `expected a host name or address without scheme, port or path, found ${showValue(host)}`;
  }
  try {
    hosts.assertUrl(new URL(origin));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
