import { isIPv4 } from "node:net";
import { createOrchestrator } from "../create-orchestrator.ts";
import { readServeEnvironment } from "../environment.ts";
import { createLogger } from "../logging/create-logger.ts";
import { exitCodes } from "./exit-codes.ts";
import type { ServeArguments } from "./read-arguments.ts";

/** Serves until interrupted, then stops what runs and gives the exit code. */
export async function serve(args: ServeArguments, interrupted: AbortSignal): Promise<number> {
  const { host, port, api_key, log_level, log_dir, ...limits } = readServeEnvironment();
  const { logger, close } = await createLogger({
    level: log_level,
    ...(log_dir !== undefined && { folder: log_dir }),
  });
  try {
    const orchestrator = await createOrchestrator({
      host: args.host ?? host,
      port: args.port ?? port,
      logger,
      ...limits,
      ...args.limits,
      ...(api_key !== undefined && { api_key }),
    });
    logger.info(
      { url: orchestrator.url, key_required: api_key !== undefined },
      `listening on ${orchestrator.url}`,
    );
    if (api_key === undefined && !isLoopback(args.host ?? host)) {
      logger.warn("everyone who reaches this address can start workflows; set ORCHESTRATOR_API_KEY");
    }
    if (!interrupted.aborted) await new Promise((resolve) => interrupted.addEventListener("abort", resolve));
    logger.info("stopping");
    await orchestrator.close();
    return exitCodes.completed;
  } finally {
    await close();
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
