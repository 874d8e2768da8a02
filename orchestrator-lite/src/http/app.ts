import { ControlError, toControlError } from "@aieffect/control-interface";
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from "express";
import type { ResolvedOptions } from "../options.ts";
import type { Submission } from "../planner/parse-submission.ts";
import { InvalidDocumentError } from "../planner/problem.ts";
import { requireKey } from "./auth.ts";
import { readJsonBody } from "./read-json-body.ts";
import type { OrchestratorCore } from "./start-server.ts";
import { toWireTask, toWireWorkflow } from "./wire.ts";

type Method = "get" | "post" | "delete";
type AppOptions = Pick<ResolvedOptions, "api_key" | "max_body_bytes" | "logger">;

/** The deployed orchestrator's HTTP API over an orchestrator. */
export function createApp(core: OrchestratorCore, { api_key, max_body_bytes, logger }: AppOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use((req, res, next) => {
    if (logger === undefined) return next();
    const started_at = performance.now();
    const { method, path } = req;
    res.on("finish", () => {
      const duration_ms = Math.round(performance.now() - started_at);
      logger.debug({ method, path, status: res.statusCode, duration_ms }, "request");
    });
    next();
  });
  // Before the key is asked for: /health never needs one (R-HEALTH-02), whatever its spelling.
  route(app, "/health", { get: (_req, res) => sendJson(res, 200, { status: "ok" }) });
  if (api_key !== undefined) app.use(requireKey(api_key));

  route(app, "/workflows", {
    async post(req, res) {
      const body = await readJsonBody(req, max_body_bytes);
      const idempotency_key = req.get("idempotency-key");
      const traceparent = req.get("traceparent");
      const { workflow_id } = await core.submit(body as Submission, {
        ...(idempotency_key !== undefined && { idempotency_key }),
        ...(traceparent !== undefined && { traceparent }),
      });
      sendJson(res, 200, { workflow_id, status: "running" });
    },
  });
  route(app, "/workflows/:workflow_id", {
    async get(req, res) {
      sendJson(res, 200, toWireWorkflow(await core.workflow(idOf(req.params, "workflow_id"))));
    },
    async delete(req, res) {
      await core.remove(idOf(req.params, "workflow_id"));
      sendJson(res, 200, { status: "deleted" });
    },
  });
  route(app, "/workflows/:workflow_id/tasks", {
    async get(req, res) {
      const workflow_id = idOf(req.params, "workflow_id");
      sendJson(res, 200, { workflow_id, tasks: (await core.tasks(workflow_id)).map(toWireTask) });
    },
  });
  route(app, "/workflows/:workflow_id/tasks/:task_id", {
    async get(req, res) {
      const tasks = await core.tasks(idOf(req.params, "workflow_id"));
      const task = tasks.find(({ task_id }) => task_id === idOf(req.params, "task_id"));
      if (task === undefined) throw new ControlError("task_not_found", "Task not found");
      sendJson(res, 200, toWireTask(task));
    },
  });

  app.use(() => {
    throw new ControlError("not_found", "Not Found");
  });
  const onError: ErrorRequestHandler = (thrown, req, res, next) => {
    if (res.headersSent) return next(thrown);
    if (thrown instanceof InvalidDocumentError) return sendJson(res, 400, { detail: thrown.message });
    const malformedPath = thrown instanceof URIError;
    const error = malformedPath ? new ControlError("not_found", "Not Found") : toControlError(thrown);
    if (error.code === "internal")
      logger?.error({ method: req.method, path: req.path, err: thrown }, "request failed");
    if (error.status === 401) res.setHeader("WWW-Authenticate", "Bearer");
    // The rest of a body that nobody reads must not be taken for the next request.
    if (error.status === 413) res.setHeader("Connection", "close");
    sendJson(res, error.status, { detail: error.detail });
  };
  app.use(onError);
  return app;
}

/** Registers a path; a method it does not have is 405 with `Allow`. */
function route(app: Express, path: string, handlers: Partial<Record<Method, RequestHandler>>): void {
  const entry = app.route(path);
  for (const [method, handler] of Object.entries(handlers)) entry[method as Method](handler);
  const allow = Object.keys(handlers).map((method) => method.toUpperCase());
  if (allow.includes("GET")) allow.push("HEAD");
  entry.all((_req, res) => {
    res.setHeader("Allow", allow.join(", "));
    throw new ControlError("method_not_allowed", "Method Not Allowed");
  });
}

function sendJson(res: Response, status: number, body: unknown): void {
  res.statusCode = status;
  res.setHeader("Content-Type", "application/json");
  res.end(JSON.stringify(body));
}

function idOf(params: Record<string, string | string[] | undefined>, name: string): string {
  return String(params[name]);
}
