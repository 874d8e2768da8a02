import { hash } from "node:crypto";

/** The id of a node's task: unique per workflow and node, the same over every attempt and every restart. */
export function toTaskId(workflow_id: string, node_key: string): string {
  return `task_${hash("sha256", `${workflow_id}\0${node_key}`, "hex").slice(0, 16)}`;
}
