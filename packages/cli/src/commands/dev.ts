import { parseArgs } from "node:util";
import { ControlClient } from "@aieffect/control-interface";
import { createOrchestrator } from "@aieffect/orchestrator-lite";
import { oneFolder } from "../arguments.ts";
import { createDevConsole } from "../dev/console.ts";
import type { DevReporter } from "../dev/dev-events.ts";
import { findStart, packageAround, pathFor } from "../dev/find-start.ts";
import { createTaskFollower } from "../dev/follow-tasks.ts";
import { freePort } from "../dev/free-port.ts";
import { observeWorkflows } from "../dev/observe-workflows.ts";
import { readLogLine } from "../dev/read-log-line.ts";
import { createSupervisor, type ServiceEvent } from "../dev/supervisor.ts";
import { createTaskBoard, type TaskNews } from "../dev/task-board.ts";
import { watchSources } from "../dev/watch-sources.ts";
import { CliError } from "../errors/cli-error.ts";
import { exitCodes } from "../exit-codes.ts";
import { UsageError } from "../usage-error.ts";

/** Ctrl-C is how it ends. */
export const endsItself = true;

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
  const command = values.command ?? (await findStart(folder));
  const host = process.env.HOST || "127.0.0.1";
  const port = await choosePort("port", values.port ?? (process.env.PORT || "8080"), host);
  const given = values["orchestrator-port"];
  const orchestratorPort =
    given === undefined
      ? ((await freePort(8000, "127.0.0.1")) ?? 0)
      : await choosePort("orchestrator-port", given, "127.0.0.1");
  const url = `http://localhost:${port}`;
  const reporter = values.json ? jsonReporter() : createDevConsole(process.stdout);
  const board = createTaskBoard();
  const onTask = (news: TaskNews) => {
    const changed = board.apply(news);
    if (changed !== undefined) reporter.tell({ type: "task", ...changed });
    reporter.show(board.running());
    return changed;
  };
  const follower = createTaskFollower(url, process.env.SERVICE_API_KEY || undefined, onTask);
  const orchestrator = await createOrchestrator({
    port: orchestratorPort,
    store: observeWorkflows({
      onTask,
      onWorkflow: (workflow_id, status, error) =>
        reporter.tell({ type: "workflow", workflow_id, status, error }),
    }),
  });
  const onEvent = (event: ServiceEvent) => {
    switch (event.type) {
      case "starting":
        lose("the service was started again");
        return reporter.tell({ type: "starting", command, because: event.because });
      case "ready":
        return void askOperations(url).then((operations) =>
          reporter.tell({ type: "ready", url, orchestrator_url: orchestrator.url, operations }),
        );
      case "ended":
        lose("the service ended");
        return reporter.tell(event);
      case "output":
        return onOutput(event.line);
      default:
        return reporter.tell(event);
    }
  };
  const lose = (error: string) => {
    for (const task of board.lose(error)) reporter.tell({ type: "task", ...task });
    reporter.show([]);
  };
  const onOutput = (line: string) => {
    const read = readLogLine(line);
    if (read.kind === "task") {
      onTask(read.news);
      if (read.news.status === "running") follower.follow(read.news);
    }
    if (read.kind === "note") reporter.tell({ type: "log", level: read.level, text: read.text });
  };
  const supervisor = createSupervisor({
    command,
    cwd: folder,
    env: {
      ...process.env,
      PATH: pathFor(folder),
      HOST: host,
      PORT: String(port),
      SELF_URL: process.env.SELF_URL || url,
    },
    health_url: `http://${host === "0.0.0.0" ? "127.0.0.1" : host}:${port}/health`,
    onEvent,
  });
  const watcher = await watchSources({
    folder,
    paths: values.watch ?? [],
    onChange: (path) => supervisor.restart(path),
  });
  supervisor.restart();
  if (!interrupted.aborted) await new Promise((resolve) => interrupted.addEventListener("abort", resolve));
  follower.close();
  await Promise.all([watcher.close(), supervisor.stop(), orchestrator.close()]);
  reporter.tell({ type: "stopped" });
  return exitCodes.fine;
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
    {
      state: "nothing was started",
      fixes: [`--${flag} 0, for any free one`, "stop what runs there"],
    },
  );
}

/** Names for people to try; none where the service tells nothing of itself. */
async function askOperations(base_url: string): Promise<string[]> {
  const api_key = process.env.SERVICE_API_KEY || undefined;
  const client = new ControlClient({ base_url, ...(api_key !== undefined && { api_key }) });
  try {
    return (await client.operations()).operations.map(({ name }) => name);
  } catch {
    // A deployed service has no self-description (R-OPS-01 is an addition).
    return [];
  } finally {
    client.close();
  }
}

function jsonReporter(): DevReporter {
  return {
    tell: (event) => void process.stdout.write(`${JSON.stringify(event)}\n`),
    show() {},
  };
}
