import type { ServerResponse } from "node:http";
import type { TaskStore } from "../stores/task-store.ts";
import type { Engine } from "../tasks/engine.ts";
import { changeAt, countChanges, type Execution, hasEnded } from "../tasks/execution.ts";
import { withRequestId } from "./request-id.ts";

/** What a stream needs of the service around it. */
export interface StreamParts {
  store: TaskStore;
  engine: Engine;
  /** Fires when the caller goes away. */
  gone: AbortSignal;
  /** A comment line is sent after so long a silence, in ms (R-EVT-02). @default 15,000 */
  heartbeat_ms?: number;
}

/**
 * Streams the changes of an execution as server-sent events until it ends (R-EVT-01 to 04).
 * `last_event_id` is the number of the last change that the caller has; without it the stream
 * begins with the present state.
 */
export async function streamStatus(
  response: ServerResponse,
  execution: Execution,
  last_event_id: string | undefined,
  { store, engine, gone, heartbeat_ms = 15_000 }: StreamParts,
): Promise<void> {
  let sent = firstToSend(execution, last_event_id);
  if (hasEnded(execution) && sent >= countChanges(execution)) {
    // Nothing is left to say: 204 tells an EventSource not to come back.
    response.writeHead(204, withRequestId(response, {})).end();
    return;
  }
  const head = { "content-type": "text/event-stream", "cache-control": "no-store" };
  response.writeHead(200, withRequestId(response, head));
  response.flushHeaders();
  const heartbeat = setInterval(() => response.write(":\n\n"), heartbeat_ms);
  try {
    for (let seen = execution; ; ) {
      for (; sent < countChanges(seen); sent++) {
        heartbeat.refresh();
        const event = `event: status\nid: ${sent + 1}\ndata: ${JSON.stringify(changeAt(seen, sent))}\n\n`;
        if (!response.write(event)) await drained(response, gone);
      }
      if (hasEnded(seen) || gone.aborted || engine.stopping.aborted) break;
      const before = countChanges(seen);
      seen = await engine.waitFor(
        seen,
        (next) => countChanges(next) > before,
        Number.POSITIVE_INFINITY,
        gone,
      );
      // A store that is shared may have more than the snapshot that woke us.
      seen = (await store.find(seen.handle)) ?? seen;
    }
  } finally {
    clearInterval(heartbeat);
    response.end();
  }
}

function firstToSend(execution: Execution, last_event_id: string | undefined): number {
  const count = countChanges(execution);
  const last = /^\d{1,9}$/.test(last_event_id ?? "") ? Number(last_event_id) : undefined;
  return last === undefined || last > count ? count - 1 : last;
}

/** Resolves when the caller has taken what was written, or has gone. */
function drained(response: ServerResponse, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      gone.removeEventListener("abort", done);
      resolve();
    };
    response.once("drain", done);
    gone.addEventListener("abort", done);
    if (gone.aborted) done();
  });
}
