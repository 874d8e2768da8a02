import { judge } from "../../engine/drive.ts";
import type { Exchange } from "../../wire/exchange.ts";

/** A status that was told for a handle. */
interface Seen {
  exchange: Exchange;
  status: "running" | "complete" | "failed";
}

/** What stands against each other. */
interface Regression {
  before: Seen;
  after: Seen;
}

/**
 * The first two replies about one issued handle that no order of events explains: a reply that was
 * asked for after an end was told and tells something else, or two ends. Calls that overlap may see
 * either state, so only real-time order counts.
 */
export function firstRegression(exchanges: readonly Exchange[]): {
  regression: Regression | undefined;
  /** For how many handles something was seen. */
  handles: number;
} {
  const seen = new Map<string, Seen[]>();
  for (const handle of issuedHandles(exchanges)) seen.set(handle, []);
  for (const exchange of exchanges) {
    const handle = statusHandle(exchange);
    const reading = handle === undefined ? undefined : judge(exchange, "status")?.read_as;
    if (handle !== undefined && reading !== undefined)
      seen.get(handle)?.push({ exchange, status: reading.status });
  }
  const told = [...seen.values()].filter((list) => list.length > 0);
  return { regression: told.map(regressionOf).find((one) => one !== undefined), handles: told.length };
}

/** Raw task_ids name the newest execution under them, and are not looked at (R-RUN-05). */
function issuedHandles(exchanges: readonly Exchange[]): string[] {
  return exchanges.flatMap((exchange) => {
    const isExecute =
      exchange.request.method === "POST" && exchange.request.path.endsWith("/control/execute");
    const reading = isExecute ? judge(exchange, "execute")?.read_as : undefined;
    return reading?.status === "running" && reading.task_id ? [reading.task_id] : [];
  });
}

function statusHandle({ request, reply }: Exchange): string | undefined {
  if (request.method !== "GET" || reply === undefined || reply.status >= 400) return undefined;
  return /\/control\/status\/([^/?#]+)$/.exec(request.path)?.[1];
}

function regressionOf(seen: readonly Seen[]): Regression | undefined {
  const ends = seen.filter(({ status }) => status !== "running");
  for (const after of seen) {
    for (const before of ends) {
      if (before.status === after.status) continue;
      const isLater = before.exchange.ended_at <= after.exchange.sent_at;
      if (isLater || after.status !== "running") return { before, after };
    }
  }
  return undefined;
}
