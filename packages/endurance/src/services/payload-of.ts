/** What the services of these proofs give as the result of a task: distinct, and told by its name. */
export function payloadOf(task_id: string): string {
  return JSON.stringify({ task_id, rows: Array.from({ length: 100 }, (_, row) => `${task_id} ${row}`) });
}
