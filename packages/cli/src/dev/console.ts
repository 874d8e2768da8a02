import { printable } from "../printable.ts";
import type { DevEvent, DevReporter } from "./dev-events.ts";
import type { TaskNews } from "./task-board.ts";

/** Where the console is: standard output, or a test's. */
export interface ConsoleOutput {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  write(text: string): unknown;
}

const barWidth = 20;

/** Lines that scroll, and below them, on a terminal, the tasks that run. @param now the time */
export function createDevConsole(output: ConsoleOutput, now: () => Date = () => new Date()): DevReporter {
  const isTerminal = output.isTTY ?? false;
  let shown = 0;
  let live: string[] = [];

  function erase(): string {
    return shown === 0 ? "" : `\x1b[${shown}A\x1b[J`;
  }

  function draw(): string {
    shown = live.length;
    return live.map((line) => `${line}\n`).join("");
  }

  function print(text: string): void {
    const time = now().toTimeString().slice(0, 8);
    const [first = "", ...rest] = text.split(/\r?\n/).map(printable);
    const lines = [`${time}  ${first}`, ...rest.map((line) => `          ${line}`)];
    output.write(`${erase()}${lines.join("\n")}\n${draw()}`);
  }

  return {
    tell(event) {
      // On a terminal progress is the bar's.
      if (event.type === "task" && event.status === "running" && isTerminal) return;
      const text = toText(event);
      if (text !== undefined) print(text);
    },
    show(running) {
      if (!isTerminal) return;
      const most = Math.max(1, (output.rows || 24) - 4);
      // A line that wraps would be two, and the next redraw would miss.
      const fit = (line: string) => printable(line).slice(0, (output.columns || 80) - 1);
      const lines = running.slice(0, most).map((task) => fit(toBar(task)));
      if (running.length > most) lines.push(fit(`  and ${running.length - most} more`));
      live = lines;
      output.write(`${erase()}${draw()}`);
    },
  };
}

function toText(event: DevEvent): string | undefined {
  switch (event.type) {
    case "starting":
      return event.because === undefined
        ? `starting: ${event.command}`
        : `${event.because} changed, starting again`;
    case "ready":
      return [
        `ready: service ${event.url}, orchestrator ${event.orchestrator_url}`,
        ...event.operations.map((name) => `aieffect try ${name} --url ${event.url}`),
      ].join("\n");
    case "late":
      return `the service does not answer /health after ${event.after_s} s`;
    case "ended":
      return `the service ended with ${event.code ?? "a signal"}; the next change starts it again`;
    case "task":
      return toTaskText(event);
    case "workflow":
      return `workflow ${event.workflow_id} ${event.status}${event.error === undefined ? "" : `: ${event.error}`}`;
    case "log":
      return event.level === "info" ? `| ${event.text}` : `| ${event.level}: ${event.text}`;
    case "stopped":
      return "stopped";
  }
}

const marks = { running: ">", complete: "+", failed: "!" } as const;

function toTaskText({
  status,
  method,
  task_id,
  workflow_id,
  progress,
  message,
  error,
  duration_ms,
}: TaskNews): string {
  const took = duration_ms === undefined ? "" : ` in ${(duration_ms / 1000).toFixed(1)} s`;
  const percent = status === "running" && progress !== undefined ? ` ${progress}%` : "";
  const more = error ?? (status === "running" ? message : undefined);
  const what = `${marks[status]} ${method ?? "task"} ${status}${percent}${took}`;
  return `${what}  ${workflow_id}/${task_id}${more === undefined ? "" : `: ${more}`}`;
}

function toBar({ method, workflow_id, progress = 0, message }: TaskNews): string {
  const full = Math.round((progress / 100) * barWidth);
  const bar = `[${"#".repeat(full)}${"-".repeat(barWidth - full)}]`;
  return `  ${method ?? "task"} ${bar} ${String(progress).padStart(3)}%  ${workflow_id}${message === undefined ? "" : `  ${message}`}`;
}
