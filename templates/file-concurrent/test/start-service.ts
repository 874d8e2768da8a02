import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "@aieffect/service-kit";
import request from "supertest";
import { onTestFinished } from "vitest";
import { createService } from "../src/service.ts";

/** A result: its reference, and the bytes behind it as text. */
interface Result {
  output: { protocol: string; uri: string; format: string; metadata?: Record<string, unknown> };
  text: string;
}

/** The real service on a free port, for one test. */
export async function startService() {
  const data_dir = await mkdtemp(join(tmpdir(), "service-test-"));
  const service = createService({ data_dir, log_level: "silent" });
  const { url, close } = await serve(service, { host: "127.0.0.1", port: 0, handle_signals: false });
  onTestFinished(async () => {
    await close();
    await rm(data_dir, { recursive: true, force: true });
  });
  return {
    url,
    /** Executes an operation as an orchestrator does. @throws Error with the error of a task that failed */
    async run(
      method: string,
      { csv, parameters = {} }: { csv: string; parameters?: Record<string, unknown> },
    ): Promise<Result> {
      const inputs = [{ protocol: "inline", uri: Buffer.from(csv).toString("base64"), format: "csv" }];
      const call = { method, workflow_id: "wf-test", task_id: "task-1", inputs, parameters };
      let { body } = await request(url).post("/control/execute").send(call).expect(200);
      const handle = body.task_id;
      while (body.status === "running") {
        await new Promise((resolve) => setTimeout(resolve, 20));
        ({ body } = await request(url).get(`/control/status/${handle}`).expect(200));
      }
      if (body.status !== "complete") throw new Error(body.error ?? JSON.stringify(body));
      const output =
        body.output ?? (await request(url).get(`/control/output/${handle}`).expect(200)).body.output;
      const { pathname, search } = new URL(output.uri);
      const { text } = await request(url).get(`${pathname}${search}`).buffer(true).expect(200);
      return { output, text };
    },
  };
}
