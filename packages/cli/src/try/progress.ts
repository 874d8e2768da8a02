import type { TaskView } from "@aieffect/orchestrator-lite";
import { printable } from "../printable.ts";

/** Where progress is shown: standard error, or a test's. */
export interface ProgressOutput {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** Shows how a task goes. */
export interface Progress {
  update(task: TaskView): void;
  /** Takes the bar away. */
  end(): void;
}

const width = 24;

/** A bar on a terminal, a line per change elsewhere. @param now the time in ms */
export function createProgress(
  operation: string,
  output: ProgressOutput,
  now = () => performance.now(),
): Progress {
  const began = now();
  let last: TaskView | undefined;
  if (!output.isTTY) {
    let told = "";
    return {
      update(task) {
        const line = toLine(operation, task);
        // The end is told by the command itself.
        if (task.status === "running" && line !== told) output.write(`${line}\n`);
        told = line;
      },
      end() {},
    };
  }
  const draw = () => {
    const seconds = Math.floor((now() - began) / 1000);
    const percent = last?.progress ?? 0;
    const full = Math.round((percent / 100) * width);
    const bar = `[${"#".repeat(full)}${"-".repeat(width - full)}]`;
    const message = last?.message === undefined ? "" : `  ${last.message}`;
    const line = printable(`${operation} ${bar} ${String(percent).padStart(3)}%  ${seconds} s${message}`);
    // A line that wraps would be two, and the next one would miss.
    output.write(`\r\x1b[2K${line.slice(0, (output.columns || 80) - 1)}`);
  };
  const timer = setInterval(draw, 500);
  timer.unref();
  draw();
  return {
    update(task) {
      last = task;
      draw();
    },
    end() {
      clearInterval(timer);
      output.write("\r\x1b[2K");
    },
  };
}

function toLine(operation: string, { status, progress, message }: TaskView): string {
  const percent = progress === undefined ? "" : ` ${progress}%`;
  return printable(`${operation} ${status}${percent}${message === undefined ? "" : `: ${message}`}`);
}
