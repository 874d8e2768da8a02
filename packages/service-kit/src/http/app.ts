import { createOpenApi } from "@aieffect/control-interface";
import express, { type Express } from "express";
import type { Service } from "../service.ts";
import { createAuthenticate } from "./auth.ts";
import { describeOperations } from "./describe-operations.ts";
import { renderDocs } from "./docs.ts";
import { sendError, sendJson } from "./exchange.ts";

/** What stands behind the control interface in `serve()`: /metrics, /openapi.json, /docs, and 404 for the rest. */
export function createApp(service: Service): Express {
  const { options, operations, metrics, log } = service.parts;
  const app = express();
  app.disable("x-powered-by");
  if (options.api_keys.length > 0) {
    const authenticate = createAuthenticate(options.api_keys);
    app.use((request, response, next) => {
      try {
        authenticate(request.headers.authorization);
        next();
      } catch (error) {
        sendError(response, error);
      }
    });
  }
  const openApi = createOpenApi({
    title: options.name,
    version: options.version,
    methods: [...operations.keys()],
    secured: options.api_keys.length > 0,
    uploads: options.uploads !== false,
  });
  const described = describeOperations(operations, options);
  app.get("/openapi.json", (_request, response) => sendJson(response, 200, openApi));
  app.get("/docs", (_request, response) => {
    response.type("html").send(renderDocs(openApi, described, service.selfUrl()));
  });
  app.get("/metrics", async (_request, response) => {
    const { text, media_type } = await metrics.print();
    response.set("content-type", media_type).send(text);
  });
  app.all(["/openapi.json", "/docs", "/metrics"], (_request, response) => {
    sendJson(response, 405, { detail: "Method Not Allowed" }, { allow: "GET, HEAD" });
  });
  app.use((_request, response) => sendJson(response, 404, { detail: "Not Found" }));
  app.use(((error, request, response, _next) => {
    // Express's own: a path that cannot be decoded. Anything else is logged in full.
    const { status = 500 } = error as { status?: number };
    if (status < 500) return sendJson(response, status, { detail: "Not Found" });
    log.error({ err: error, path: request.path }, "call failed");
    sendError(response, error);
  }) satisfies express.ErrorRequestHandler);
  return app;
}
