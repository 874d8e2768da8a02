import type { TaskNews } from "./task-board.ts";

/** Everything that happens while a service is developed; with `--json` one a line. */
export type DevEvent =
  | { type: "starting"; command: string; because?: string | undefined }
  | { type: "ready"; url: string; orchestrator_url: string; operations: readonly string[] }
  | { type: "late"; after_s: number }
  | { type: "ended"; code: number | null }
  | ({ type: "task" } & TaskNews)
  | {
      type: "workflow";
      workflow_id: string;
      status: "running" | "completed" | "failed";
      error?: string | undefined;
    }
  | { type: "log"; level: "info" | "warn" | "error"; text: string }
  | { type: "stopped" };

/** Somebody who is told. */
export interface DevReporter {
  tell(event: DevEvent): void;
  /** Tasks that run, for those who show them. */
  show(running: readonly TaskNews[]): void;
}
