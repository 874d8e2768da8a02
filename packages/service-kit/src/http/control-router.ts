import { Router } from "express";
import type { Service } from "../service.ts";

/**
 * The control interface as an Express router, to mount into an app of your own:
 * `app.use(controlRouter(service))`. The app's middleware sees every call; a JSON body parser in
 * front of it is fine. Where it is mounted below a path, `self_url` must end in that path.
 */
export function controlRouter(service: Service): Router {
  const router = Router();
  service.startPlanes().catch((error: unknown) => {
    service.parts.log.error(
      { err: error },
      "a data plane could not be started; tasks that need it will fail",
    );
  });
  router.use((request, response, next) => {
    if (!service.handle(request, response)) next();
  });
  return router;
}
