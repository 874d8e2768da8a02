import { tempFolder } from "@aieffect/test-support";
import express from "express";
import request from "supertest";
import { describe, expect, it, onTestFinished } from "vitest";
import { controlRouter, defineOperation, sequentialService } from "../index.ts";

async function mount(prefix: string) {
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
});
