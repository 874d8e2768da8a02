import { isIPv6 } from "node:net";
import { ControlClient } from "@aieffect/control-interface";
import { createOrchestrator } from "@aieffect/orchestrator-lite";
import type { DevReporter } from "./dev-events.ts";
import { createTaskFollower } from "./follow-tasks.ts";
import { observeWorkflows } from "./observe-workflows.ts";
import { readLogLine } from "./read-log-line.ts";
import { createSupervisor, type ServiceEvent } from "./supervisor.ts";
import { createTaskBoard, type TaskNews } from "./task-board.ts";
import { watchSources } from "./watch-sources.ts";

/** What is run, and where. */
export interface DevelopmentOptions {
  folder: string;
  /** A line for the shell. */
  command: string;
  host: string;
  port: number;
  /** 0 is a free one. */
  orchestrator_port: number;
  /** Paths below the folder; none for its sources. */
  watch: readonly string[];
  api_key: string | undefined;
  /** What the service gets beside HOST and PORT. */
  env: NodeJS.ProcessEnv;
  reporter: DevReporter;
}

/** Starts a service, an orchestrator beside it, and what watches both. The result ends all of it. */
export async function startDevelopment(options: DevelopmentOptions): Promise<{ close(): Promise<void> }> {
  const { folder, command, host, port, api_key, reporter } = options;
  const url = `http://localhost:${port}`;
  const board = createTaskBoard();

  function onTask(news: TaskNews): void {
    const changed = board.apply(news);
    reporter.show(board.running());
    if (changed !== undefined) reporter.tell({ type: "task", ...changed });
  }

  function lose(error: string): void {
    for (const task of board.lose(error)) reporter.tell({ type: "task", ...task });
    reporter.show([]);
  }

  function onOutput(line: string): void {
    const read = readLogLine(line);
    if (read.kind === "task") {
      onTask(read.news);
      if (read.news.status === "running") follower.follow(read.news);
    }
    if (read.kind === "note") reporter.tell({ type: "log", level: read.level, text: read.text });
  }

  async function onReady(): Promise<void> {
    const operations = await askOperations(url, api_key);
    reporter.tell({ type: "ready", url, orchestrator_url: orchestrator.url, operations });
  }

  function onEvent(event: ServiceEvent): void {
    if (event.type === "output") onOutput(event.line);
    else if (event.type === "ready") void onReady();
    else {
      if (event.type === "starting") lose("the service was started again");
      if (event.type === "ended") lose("the service ended");
      reporter.tell(event.type === "starting" ? { ...event, command } : event);
    }
  }

  const orchestrator = await createOrchestrator({
    port: options.orchestrator_port,
    store: observeWorkflows({
      onTask,
      onWorkflow: (workflow_id, status, error) =>
        reporter.tell({ type: "workflow", workflow_id, status, error }),
    }),
  });
  const follower = createTaskFollower(url, api_key, onTask);
  const supervisor = createSupervisor({
    command,
    cwd: folder,
    env: { ...options.env, HOST: host, PORT: String(port), SELF_URL: options.env.SELF_URL || url },
    health_url: `http://${reachable(host)}:${port}/health`,
    onEvent,
  });
  const close = async () => {
    follower.close();
    await Promise.all([supervisor.stop(), orchestrator.close()]);
  };
  try {
    const onChange = (path: string) => supervisor.restart(path);
    const watcher = await watchSources({ folder, paths: options.watch, onChange });
    supervisor.restart();
    return { close: async () => void (await Promise.all([watcher.close(), close()])) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** "All addresses" is no address to call. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return isIPv6(host) ? `[${host}]` : host;
}

/** Names for people to try; none where the service tells nothing of itself. */
async function askOperations(base_url: string, api_key: string | undefined): Promise<string[]> {
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
