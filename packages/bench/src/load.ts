import autocannon from "autocannon";

/** As an orchestrator with so many tasks in flight has. */
const connections = 64;

let serial = 0;

/** Executions per second of the operation Noop. Every request is another task, as in the field. */
export async function load(url: string, duration: number): Promise<number> {
  const result = await autocannon({
    url: `${url}/control/execute`,
    connections,
    duration,
    requests: [
      {
        method: "POST",
        headers: { "content-type": "application/json" },
        setupRequest: (request) => {
          const body = { method: "Noop", workflow_id: "wf-bench", task_id: `task-${serial++}`, inputs: [] };
          return { ...request, body: JSON.stringify(body) };
        },
      },
    ],
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(
      `Expected every request to ${url} to succeed, found ${result.non2xx} refused, ${result.errors} broken`,
    );
  }
  return result.requests.average;
}
