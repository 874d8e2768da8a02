import { ControlError, createOpenApi } from "@aieffect/control-interface";
import express, { type Express } from "express";
import type { Service } from "../service.ts";
import { describeOperations } from "./describe-operations.ts";
import { docsHeaders, renderDocs } from "./docs.ts";
import { Exchange, sendJson } from "./exchange.ts";
import { refuse } from "./refuse.ts";
import { setRequestId } from "./request-id.ts";
import { finishBody } from "./unread-body.ts";

/** What stands behind the control interface in `serve()`: /metrics, /openapi.json, /docs, and 404 for the rest. */
export function createApp(service: Service): Express {
  const { options, operations, metrics, keys, limit, secrets } = service.parts;
  const app = express();
  app.disable("x-powered-by");
  app.use(async (request, response, next) => {
    response.locals.exchange = new Exchange(request, response);
    setRequestId(response);
    response.set("x-content-type-options", "nosniff");
    if (limit !== undefined) await limit(request);
    keys?.authenticate(request.headers.authorization);
    response.once("finish", () => void finishBody(response, options.body_timeout_ms));
    next();
  });
  const openApi = createOpenApi({
    title: options.name,
    version: options.version,
    methods: [...operations.keys()],
    secured: keys !== undefined,
    uploads: options.uploads !== false,
  });
  const described = describeOperations(operations, options);
  app.get("/openapi.json", (_request, response) => sendJson(response, 200, openApi));
  app.get("/docs", (_request, response) => {
    const page = renderDocs(openApi, described, secrets.redact(service.selfUrl()));
    response.set(docsHeaders).type("html").send(page);
  });
  app.get("/metrics", async (_request, response) => {
    const { text, media_type } = await metrics.print();
    response.set("content-type", media_type).send(text);
  });
  app.all(["/openapi.json", "/docs", "/metrics"], (_request, response) => {
    response.set("allow", "GET, HEAD");
    throw new ControlError("method_not_allowed", "Method Not Allowed");
  });
  app.use(() => {
    throw new ControlError("not_found", "Not Found");
  });
  app.use(((error, _request, response, _next) => {
    // Express's own: a path that cannot be decoded.
    const { status = 500 } = error as { status?: number };
    const isOurs = error instanceof ControlError || status >= 500;
    refuse(
      response.locals.exchange,
      isOurs ? error : new ControlError("not_found", "Not Found"),
      service.parts,
    );
  }) satisfies express.ErrorRequestHandler);
  return app;
}
