import {
  ControlError,
  createInlineReference,
  isFormat,
  readExecuteRequest,
} from "@aieffect/control-interface";
import { createUploadReceiver, sendPayload, type UploadReceiver } from "@aieffect/data-plane-file";
import { readCorrelationId } from "../observability/correlation.ts";
import { traceIdOf } from "../observability/trace.ts";
import type { ServiceParts } from "../service.ts";
import { countChanges, type Execution, hasEnded, toStatusBody } from "../tasks/execution.ts";
import type { BodyRoom } from "../tasks/slots.ts";
import { type Answer, answerTraced } from "./answer-traced.ts";
import { describeOperations } from "./describe-operations.ts";
import { streamStatus } from "./event-stream.ts";
import { type Exchange, namesOf, sendJson } from "./exchange.ts";
import { readWait } from "./prefer.ts";
import { readJsonBody } from "./read-body.ts";
import { setRequestId } from "./request-id.ts";

/** A path of the control interface: `:id` stands for one segment, which is passed decoded. */
export interface Route {
  method: "GET" | "POST";
  path: string;
  answer: Answer;
}

/** Every route of the contract, for whatever server is in front (R-EXEC, R-STAT, R-OUT, R-DATA, R-HEALTH, Part B). */
export function createRoutes(service: ServiceParts): Route[] {
  const { engine, store, options, tracing, log } = service;

  async function execute(exchange: Exchange): Promise<void> {
    const body_room = engine.createBodyRoom();
    const { value, size_bytes } = await readJsonBody(exchange, options, body_room);
    try {
      await executeBody(exchange, value, { size_bytes, body_room });
    } finally {
      body_room.release();
    }
  }

  async function executeBody(
    exchange: Exchange,
    value: unknown,
    size: { size_bytes: number; body_room: BodyRoom },
  ): Promise<void> {
    const { request, issues } = readExecuteRequest(value);
    if (request === undefined) {
      throw new ControlError("invalid_request", "Invalid request", { detail: issues });
    }
    const { headers } = exchange.request;
    const correlation_id = readCorrelationId(headers);
    exchange.about = { workflow_id: request.workflow_id, task_id: request.task_id, method: request.method };
    const wait = readWait(headers.prefer);
    const { answer, execution, replayed } = await engine.execute(request, {
      ...size,
      idempotency_key: (headers["idempotency-key"] as string | undefined) || undefined,
      wait_s: wait?.wait_s,
      trace: exchange.trace,
      correlation_id,
      caller: exchange,
    });
    // The task's own, not a second caller's who was attached to it (R-LOG-02).
    exchange.about = execution;
    if (answer.status === "running") {
      const line = { ...namesOf(execution), status: "running", duration_ms: 0, ...traceIdOf(exchange.trace) };
      log.info({ request_id: exchange.request_id, ...line }, "task accepted");
    }
    if (!replayed && wait === undefined) return sendJson(exchange.response, 200, answer);
    sendJson(exchange.response, 200, answer, {
      ...(replayed && { "idempotency-replayed": "true" }),
      ...(wait !== undefined && execution.style === "concurrent" && { "preference-applied": wait.applied }),
    });
  }

  async function find(exchange: Exchange, id: string): Promise<Execution> {
    const execution = await engine.find(id);
    exchange.about = execution;
    return execution;
  }

  async function status(exchange: Exchange, id: string): Promise<void> {
    const execution = await find(exchange, id);
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
    const { output } = complete(await find(exchange, id));
    sendJson(exchange.response, 200, { output: output ?? nothing });
  }

  async function data(exchange: Exchange, id: string): Promise<void> {
    const execution = complete(await find(exchange, id));
    const payload = payloadOf(execution);
    if (payload === undefined) throw new ControlError("no_payload", "This task has no payload here");
    const idle_timeout_ms = options.transfer_idle_timeout_ms;
    setRequestId(exchange.response);
    try {
      await sendPayload(exchange.request, exchange.response, payload, { idle_timeout_ms });
    } catch (error) {
      throw store.shared ? toldToReplicas(error) : error;
    }
  }

  async function upload(exchange: Exchange, receive: UploadReceiver): Promise<void> {
    const { headers } = exchange.request;
    const { execution, replayed } = await engine.keep((call) => receive(exchange.request, call), {
      idempotency_key: (headers["idempotency-key"] as string | undefined) || undefined,
      correlation_id: readCorrelationId(headers),
    });
    exchange.about = execution;
    const { output } = execution;
    sendJson(exchange.response, 201, output, {
      // The path alone: where the service is mounted or proxied, that is what the reference's URL has.
      location: new URL(output?.uri ?? "").pathname,
      ...(replayed && { "idempotency-replayed": "true" }),
    });
  }

  async function cancel(exchange: Exchange, id: string): Promise<void> {
    const { execution, cancelled } = await engine.cancel(id);
    exchange.about = execution;
    sendJson(exchange.response, cancelled ? 202 : 200, toStatusBody(execution));
  }

  function uploadRoutes(): Route[] {
    const { uploads, transfer_idle_timeout_ms: idle_timeout_ms } = options;
    if (uploads === false) return [];
    const receive = createUploadReceiver(service.plane, { ...uploads, idle_timeout_ms });
    const answer = traced("POST /control/data", (exchange) => upload(exchange, receive));
    return [{ method: "POST", path: "/control/data", answer }];
  }

  const described = describeOperations(service.operations, options);
  const traced = (route: string, answer: Answer) => answerTraced(tracing, route, answer);

  return [
    { method: "POST", path: "/control/execute", answer: traced("POST /control/execute", execute) },
    { method: "GET", path: "/control/status/:id", answer: status },
    { method: "GET", path: "/control/output/:id", answer: output },
    { method: "GET", path: "/control/data/:id", answer: traced("GET /control/data/:id", data) },
    ...uploadRoutes(),
    { method: "POST", path: "/control/cancel/:id", answer: traced("POST /control/cancel/:id", cancel) },
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

/** Where tasks are shared and their files are not, one replica answers for files that only another one has. */
function toldToReplicas(error: unknown): unknown {
  if (!(error instanceof ControlError) || error.code !== "no_payload") return error;
  const message =
    "The payload is not here. Where replicas share their tasks, they need one DATA_DIR for all of them, at the same path, or results that are published to s3";
  return new ControlError("no_payload", message, { cause: error });
}

function complete(execution: Execution): Execution {
  if (execution.status === "complete") return execution;
  throw new ControlError("task_not_complete", "Task not complete");
}

function payloadOf({ output, payload }: Execution) {
  if (payload !== undefined) return { ...payload, checksum: output?.checksum };
  if (output?.protocol !== "inline") return undefined;
  const format = isFormat(output.format) ? output.format : "binary";
  return { bytes: Buffer.from(output.uri, "base64"), format };
}
