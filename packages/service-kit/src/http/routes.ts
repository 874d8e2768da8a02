import {
  ControlError,
  createInlineReference,
  isFormat,
  readExecuteRequest,
} from "@aieffect/control-interface";
import { sendPayload } from "@aieffect/data-plane-file";
import { continueTrace } from "../observability/trace.ts";
import type { ServiceParts } from "../service.ts";
import { countChanges, type Execution, hasEnded, toStatusBody } from "../tasks/execution.ts";
import { describeOperations } from "./describe-operations.ts";
import { streamStatus } from "./event-stream.ts";
import { type Exchange, sendJson } from "./exchange.ts";
import { readWait } from "./prefer.ts";
import { readJsonBody } from "./read-body.ts";

/** A path of the control interface: `:id` stands for one segment, which is passed decoded. */
export interface Route {
  method: "GET" | "POST";
  path: string;
  answer(exchange: Exchange, id: string): Promise<void> | void;
}

/** Every route of the contract, for whatever server is in front (R-EXEC, R-STAT, R-OUT, R-DATA, R-HEALTH, Part B). */
export function createRoutes(service: ServiceParts): Route[] {
  const { engine, store, options, log } = service;

  async function execute(exchange: Exchange): Promise<void> {
    const { value, size_bytes } = await readJsonBody(exchange, options.max_body_bytes);
    const { request, issues } = readExecuteRequest(value);
    if (request === undefined) {
      throw new ControlError("invalid_request", "Invalid request", { detail: issues });
    }
    exchange.about = { workflow_id: request.workflow_id, task_id: request.task_id, method: request.method };
    const { headers } = exchange.request;
    const wait = readWait(headers.prefer);
    const traceparent = continueTrace(headers.traceparent as string | undefined);
    const { answer, execution, replayed } = await engine.execute(request, {
      size_bytes,
      idempotency_key: (headers["idempotency-key"] as string | undefined) || undefined,
      wait_s: wait?.wait_s,
      traceparent,
      correlation_id: headers["x-correlation-id"] as string | undefined,
      caller: exchange,
    });
    if (answer.status === "running") {
      const { workflow_id, task_id, method, handle } = execution;
      log.info({ workflow_id, task_id, method, status: "running", duration_ms: 0, handle }, "task accepted");
    }
    if (!replayed && wait === undefined) return sendJson(exchange.response, 200, answer);
    sendJson(exchange.response, 200, answer, {
      ...(replayed && { "idempotency-replayed": "true" }),
      ...(wait !== undefined && execution.style === "concurrent" && { "preference-applied": wait.applied }),
    });
  }

  async function status(exchange: Exchange, id: string): Promise<void> {
    const execution = await engine.find(id);
    const { headers } = exchange.request;
    if (/\btext\/event-stream\b/.test(headers.accept ?? "")) {
      const lastEventId = headers["last-event-id"] as string | undefined;
      return streamStatus(exchange.response, execution, lastEventId, {
        store,
        engine,
        gone: exchange.gone(),
      });
    }
    const wait = readWait(headers.prefer);
    if (wait === undefined) return sendJson(exchange.response, 200, toStatusBody(execution));
    const before = countChanges(execution);
    const changed = (next: Execution) => hasEnded(next) || countChanges(next) > before;
    const seen = await engine.waitFor(execution, changed, wait.wait_s, exchange.gone());
    sendJson(exchange.response, 200, toStatusBody(seen), { "preference-applied": wait.applied });
  }

  async function output(exchange: Exchange, id: string): Promise<void> {
    const { output } = complete(await engine.find(id));
    sendJson(exchange.response, 200, { output: output ?? nothing });
  }

  async function data(exchange: Exchange, id: string): Promise<void> {
    const execution = complete(await engine.find(id));
    const payload = payloadOf(execution);
    if (payload === undefined) throw new ControlError("no_payload", "This task has no payload here");
    await sendPayload(exchange.request, exchange.response, payload);
  }

  async function cancel(exchange: Exchange, id: string): Promise<void> {
    const { execution, cancelled } = await engine.cancel(id);
    sendJson(exchange.response, cancelled ? 202 : 200, toStatusBody(execution));
  }

  const described = describeOperations(service.operations, options.style);

  return [
    { method: "POST", path: "/control/execute", answer: execute },
    { method: "GET", path: "/control/status/:id", answer: status },
    { method: "GET", path: "/control/output/:id", answer: output },
    { method: "GET", path: "/control/data/:id", answer: data },
    { method: "POST", path: "/control/cancel/:id", answer: cancel },
    {
      method: "GET",
      path: "/control/operations",
      answer: ({ response }) => sendJson(response, 200, described),
    },
    { method: "GET", path: "/health", answer: ({ response }) => sendJson(response, 200, { status: "ok" }) },
    {
      method: "GET",
      path: "/ready",
      async answer({ response }) {
        if (engine.stopping.aborted) throw new ControlError("stopping", "The service is stopping");
        await store.ready();
        sendJson(response, 200, {
          status: "ready",
          running: engine.queue.running,
          waiting: engine.queue.waiting,
        });
      },
    },
  ];
}

/** The output of a sink, where it is asked for: the deployed orchestrator refuses null here (R-OUT-05). */
const nothing = createInlineReference("{}", "json");

function complete(execution: Execution): Execution {
  if (execution.status === "complete") return execution;
  throw new ControlError("task_not_complete", "Task not complete");
}

function payloadOf({ output, payload }: Execution) {
  if (payload !== undefined) return payload;
  if (output?.protocol !== "inline") return undefined;
  const format = isFormat(output.format) ? output.format : "binary";
  return { bytes: Buffer.from(output.uri, "base64"), format };
}
