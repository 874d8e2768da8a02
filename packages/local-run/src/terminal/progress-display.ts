/** What is shown of a task; an orchestrator's task view has all of it. */
export interface ShownTask {
  node_key: string;
  status: string;
  /** Percent; shown once it is above 0. */
  progress?: number | null;
  message?: string | null;
  error?: string | null;
}

/** Where and how progress is shown. */
export interface ProgressDisplayOptions {
  /** Where the lines go, e.g. `process.stderr`. */
  stream: { write(text: string): unknown; isTTY?: boolean; columns?: number };
  /** Redraw the lines in place. @default whether the stream is a terminal */
  live?: boolean;
  /** Milliseconds of any steady clock. @default performance.now */
  now?: () => number;
}

/** Shows the tasks of one workflow. */
export interface ProgressDisplay {
  /** Takes the tasks as they now are, in the order to show them. */
  update(tasks: readonly ShownTask[]): void;
  /** Leaves the last state on the screen. */
  end(): void;
}

const redraw_ms = 500;

/**
 * On a terminal one line per task, redrawn in place with the time it runs; elsewhere a line at
 * each change of status and at every quarter of progress.
 */
export function createProgressDisplay(options: ProgressDisplayOptions): ProgressDisplay {
  const { stream, live = stream.isTTY === true, now = () => performance.now() } = options;
  const watch = stopwatches(now);
  return live ? liveDisplay(stream, watch) : plainDisplay(stream, watch);
}

type Watch = (task: ShownTask) => string;

function plainDisplay(stream: ProgressDisplayOptions["stream"], watch: Watch): ProgressDisplay {
  const shown = new Map<string, string>();
  return {
    update(tasks) {
      for (const task of tasks) {
        const time = watch(task);
        const quarter = task.status === "running" ? Math.floor((task.progress ?? 0) / 25) : 0;
        const state = `${task.status} ${quarter}`;
        if (task.status === "pending" || shown.get(task.node_key) === state) continue;
        shown.set(task.node_key, state);
        stream.write(`${toLine(task, time)}\n`);
      }
    },
    end() {},
  };
}

function liveDisplay(stream: ProgressDisplayOptions["stream"], watch: Watch): ProgressDisplay {
  let tasks: readonly ShownTask[] = [];
  let drawn = 0;
  const draw = () => {
    const width = stream.columns ?? 80;
    const up = drawn > 0 ? `\u001b[${drawn}A` : "";
    // Cut to the width: a wrapped line would throw off the count of lines to go up.
    const lines = tasks.map(
      (task) =>
        `\u001b[2K${toLine(task, watch(task))
          .slice(0, width - 1)
          .trimEnd()}\n`,
    );
    stream.write(up + lines.join(""));
    drawn = lines.length;
  };
  const timer = setInterval(draw, redraw_ms);
  timer.unref();
  return {
    update(next) {
      tasks = next;
      draw();
    },
    end() {
      clearInterval(timer);
      draw();
    },
  };
}

/** How long each task has been running, or ran, as text. */
function stopwatches(now: () => number): Watch {
  const started = new Map<string, number>();
  const ended = new Map<string, number>();
  return ({ node_key, status }) => {
    if (status === "pending") return "";
    const start = started.get(node_key) ?? now();
    started.set(node_key, start);
    const end = ended.get(node_key) ?? now();
    if (status !== "running") ended.set(node_key, end);
    return `${((end - start) / 1000).toFixed(1)} s`;
  };
}

const marks: Record<string, string> = {
  completed: "done",
  failed: "FAILED",
  running: "running",
  pending: "waiting",
};

function toLine(task: ShownTask, time: string): string {
  const { node_key, status, progress, message } = task;
  const percent = status === "running" && progress ? `${progress} %` : "";
  const words = status === "running" ? (message ?? "") : "";
  return `  ${(marks[status] ?? status).padEnd(8)} ${node_key.padEnd(36)} ${time.padStart(8)} ${percent.padStart(5)} ${words}`.trimEnd();
}
