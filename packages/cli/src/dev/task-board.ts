/** What somebody tells of a task: the service's log, the service when it is asked, or the orchestrator. */
export interface TaskNews {
  workflow_id: string;
  task_id: string;
  method?: string | undefined;
  /** What the service calls this execution; another one is another execution (R-RUN-05). */
  handle?: string | undefined;
  status: "running" | "complete" | "failed";
  /** Percent. */
  progress?: number | undefined;
  message?: string | undefined;
  error?: string | undefined;
  duration_ms?: number | undefined;
}

/** The tasks of a service, as they are known by now. */
export interface TaskBoard {
  /** Takes news in. @returns the task where something changed that people want to see */
  apply(news: TaskNews): TaskNews | undefined;
  /** Those that run, oldest first. */
  running(): TaskNews[];
  /** The service has ended: what ran is lost. @returns those tasks */
  lose(error: string): TaskNews[];
}

/** Ended tasks that are remembered, so that the same end is not told twice. */
const mostEnded = 1000;

/** An empty board. An end is told once, whoever tells it; progress never goes down. */
export function createTaskBoard(): TaskBoard {
  const tasks = new Map<string, TaskNews>();

  function apply(news: TaskNews): TaskNews | undefined {
    const key = JSON.stringify([news.workflow_id, news.task_id]);
    const known = tasks.get(key);
    const isNew = known === undefined || isAnother(known, news);
    const next = isNew ? news : merge(known, news);
    if (!isNew && (known.status !== "running" || isSame(known, next))) {
      // A handle that comes later is kept, without being worth a line.
      if (known.status === "running") tasks.set(key, next);
      return undefined;
    }
    if (next.status !== "running" || isNew) tasks.delete(key);
    tasks.set(key, next);
    forget();
    return next;
  }

  function forget(): void {
    for (const [key, { status }] of tasks) {
      if (tasks.size <= mostEnded) return;
      if (status !== "running") tasks.delete(key);
    }
  }

  const running = () => [...tasks.values()].filter(({ status }) => status === "running");
  return {
    apply,
    running,
    lose: (error) =>
      running()
        .map((task) => apply({ ...task, status: "failed", error, progress: undefined, message: undefined }))
        .filter((task) => task !== undefined),
  };
}

/** Whether news are about another execution of the same task than the one that has ended. */
function isAnother(known: TaskNews, news: TaskNews): boolean {
  return (
    known.status !== "running" &&
    news.status === "running" &&
    news.handle !== undefined &&
    news.handle !== known.handle
  );
}

function merge(known: TaskNews, news: TaskNews): TaskNews {
  const told = Object.fromEntries(Object.entries(news).filter(([, value]) => value !== undefined));
  const progress = Math.max(known.progress ?? 0, news.progress ?? 0);
  return { ...known, ...told, ...(progress > 0 && { progress }) } as TaskNews;
}

function isSame(one: TaskNews, other: TaskNews): boolean {
  return one.status === other.status && one.progress === other.progress && one.message === other.message;
}
