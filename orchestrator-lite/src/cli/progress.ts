import type { Change, TaskView } from "../views/views.ts";
import { printable } from "./print-outputs.ts";

/** Where progress is shown: standard error, or a test's. */
export interface ProgressOutput {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  write(text: string): unknown;
}

/** Shows how a workflow goes. */
export interface Progress {
  /** Something changed. */
  update(change: Change): void;
}

/** A line per task that is redrawn on a terminal, a line per change elsewhere. */
export function createProgress(tasks: readonly TaskView[], output: ProgressOutput): Progress {
  return output.isTTY && tasks.length < (output.rows ?? 24) ? drawn(tasks, output) : written(output);
}

function drawn(tasks: readonly TaskView[], output: ProgressOutput): Progress {
  const lines = new Map(tasks.map((task) => [task.task_id, task]));
  const draw = () =>
    [...lines.values()]
      // A line that wraps would be two, and the next redraw would miss.
      .map((task) => `\x1b[2K${toLine(task).slice(0, (output.columns ?? 80) - 1)}\n`)
      .join("");
  output.write(draw());
  return {
    update(change) {
      if (change.kind !== "task") return;
      lines.set(change.task.task_id, change.task);
      output.write(`\x1b[${lines.size}A${draw()}`);
    },
  };
}

function written(output: ProgressOutput): Progress {
  return {
    update(change) {
      if (change.kind === "task") output.write(`${toLine(change.task)}\n`);
    },
  };
}

const marks = { pending: ".", running: ">", completed: "+", failed: "!" } as const;

function toLine({ node_key, status, progress, error, message }: TaskView): string {
  const percent = progress === undefined ? "" : ` ${progress}%`;
  const more = error ?? message;
  return printable(
    `${marks[status]} ${node_key} ${status}${percent}${more === undefined ? "" : `: ${more}`}`,
  );
}
