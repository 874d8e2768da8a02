import { tempFolder } from "@aieffect/test-support";
import express from "express";
import request from "supertest";
import { describe, expect, it, onTestFinished } from "vitest";
import { controlRouter, defineOperation, sequentialService } from "../index.ts";

async function mount(prefix: string, ...before: express.RequestHandler[]) {
  const give = defineOperation({ name: "Give", run: (ctx) => ctx.publish("{}", { format: "json" }) });
  const service = sequentialService({
    operations: [give],
    data_dir: await tempFolder(),
    self_url: `http://my-app:3000${prefix}`,
    log_level: "silent",
  });
  onTestFinished(() => service.close());
  const seen: string[] = [];
  const app = express();
  app.use((call, _response, next) => {
    seen.push(`${call.method} ${call.path}`);
    next();
  });
  for (const middleware of before) app.use(middleware);
  app.use(prefix || "/", controlRouter(service));
  app.get("/mine", (_call, response) => void response.send("mine"));
  return { app, seen };
}

const call = { method: "Give", workflow_id: "w", task_id: "t" };

describe.each(["", "/ai/effect"])('controlRouter mounted at "%s"', (prefix) => {
  it("lets the app's middleware see every control call, and the app keep its own routes", async () => {
    const { app, seen } = await mount(prefix);
    const executed = await request(app).post(`${prefix}/control/execute`).send(call).expect(200);
    await request(app)
      .get(`${prefix}/control/status/t`)
      .expect(200, { status: "complete", progress: 100, error: null });
    await request(app).get("/mine").expect(200, "mine");
    await request(app).get("/nothing").expect(404);
    expect(seen).toEqual([
      `POST ${prefix}/control/execute`,
      `GET ${prefix}/control/status/t`,
      "GET /mine",
      "GET /nothing",
    ]);
    const { uri } = executed.body.output;
    expect(uri.startsWith(`http://my-app:3000${prefix}/control/data/`)).toBe(true);
    await request(app).get(new URL(uri).pathname).expect(200, "{}");
  });

  it("tells where an upload is, as the app's callers see it (R-UP-02)", async () => {
    const { app } = await mount(prefix);
    const uploaded = await request(app)
      .post(`${prefix}/control/data`)
      .attach("file", Buffer.from("{}"), "a.json");
    expect(uploaded.status).toBe(201);
    expect(uploaded.headers.location).toMatch(new RegExp(`^${prefix}/control/data/[^/]+$`));
    await request(app)
      .get(uploaded.headers.location as string)
      .expect(200, "{}");
  });
});

it("controlRouter says so when a middleware has read an upload before it", async () => {
  const { app } = await mount("", express.raw({ type: "multipart/form-data" }));
  const refused = await request(app).post("/control/data").attach("file", Buffer.from("{}"), "a.json");
  expect(refused.status).toBe(500);
  expect(refused.body.detail).toBe(
    "Expected the body of an upload unread, found it read by a middleware of the app; mount the control router before it",
  );
});
