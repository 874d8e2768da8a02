import { parseArgs } from "node:util";
import { oneFolder } from "../arguments.ts";
import { createDevConsole } from "../dev/console.ts";
import type { DevReporter } from "../dev/dev-events.ts";
import { findStart, packageAround, pathFor } from "../dev/find-start.ts";
import { freePort } from "../dev/free-port.ts";
import { startDevelopment } from "../dev/start-development.ts";
import { readEnvironment, readServiceEnvironment } from "../environment.ts";
import { CliError } from "../errors/cli-error.ts";
import { exitCodes } from "../exit-codes.ts";
import { UsageError } from "../usage-error.ts";

/** Ctrl-C is how it ends. */
export const endsItself = true;

/** Where the orchestrator is unless that is taken. */
const usualOrchestratorPort = 8000;
const loopback = "127.0.0.1";

/** Runs a service until Ctrl-C, anew after every change, beside an orchestrator. */
export async function run(args: string[], interrupted: AbortSignal): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      command: { type: "string" },
      port: { type: "string" },
      "orchestrator-port": { type: "string" },
      watch: { type: "string", multiple: true },
      json: { type: "boolean" },
    },
  });
  const start = oneFolder(positionals, "folder of a service");
  // Deep inside a service it is the service that is meant.
  const folder = positionals.length > 0 || values.command ? start : packageAround(start);
  const { host, port, api_key } = readServiceEnvironment();
  const env = readEnvironment();
  const reporter = values.json ? jsonReporter() : createDevConsole(process.stdout);
  const development = await startDevelopment({
    folder,
    command: values.command ?? (await findStart(folder)),
    host,
    port: await choosePort("port", values.port ?? port, host),
    orchestrator_port: await chooseOrchestratorPort(values["orchestrator-port"]),
    watch: values.watch ?? [],
    api_key,
    env: { ...env, PATH: pathFor(folder, env.PATH) },
    reporter,
  });
  if (!interrupted.aborted) await new Promise((resolve) => interrupted.addEventListener("abort", resolve));
  await development.close();
  reporter.tell({ type: "stopped" });
  return exitCodes.fine;
}

async function chooseOrchestratorPort(given: string | undefined): Promise<number> {
  if (given !== undefined) return choosePort("orchestrator-port", given, loopback);
  return (await freePort(usualOrchestratorPort, loopback)) ?? 0;
}

async function choosePort(flag: string, text: string, host: string): Promise<number> {
  const asked = Number(text);
  if (!/^\d{1,5}$/.test(text) || asked > 65_535) {
    throw new UsageError(`Expected --${flag} to be a port from 0 to 65535, found "${text}"`);
  }
  const port = await freePort(asked, host);
  if (port !== undefined) return port;
  throw new CliError(
    "port-taken",
    `Expected port ${asked} on ${host} to be free, found that somebody listens there`,
    { state: "nothing was started", fixes: [`--${flag} 0, for any free one`, "stop what runs there"] },
  );
}

function jsonReporter(): DevReporter {
  return {
    tell: (event) => void process.stdout.write(`${JSON.stringify(event)}\n`),
    show() {},
  };
}
