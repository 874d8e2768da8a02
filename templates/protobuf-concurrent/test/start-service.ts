import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createProtobufPlane } from "@aieffect/data-plane-protobuf";
import { serve } from "@aieffect/service-kit";
import request from "supertest";
import { onTestFinished, vi } from "vitest";

// Before the plane is made: a free port, under a name that this machine has.
process.env.GRPC_PORT = "0";
process.env.GRPC_HOST = "127.0.0.1";

/** A DataReference. */
interface Reference {
  protocol: string;
  uri: string;
  format: string;
  metadata?: Record<string, unknown>;
}

/** What an operation is called with. */
interface Call {
  csv?: string;
  reference?: Reference;
  parameters?: Record<string, unknown>;
}

/** The real service on free ports, for one test. */
export async function startService() {
  // A plane belongs to one service: each test has modules of its own.
  vi.resetModules();
  const { createService } = await import("../src/service.ts");
  const { rpc } = await import("../src/plane.ts");
  const data_dir = await mkdtemp(join(tmpdir(), "service-test-"));
  const service = createService({ data_dir, log_level: "silent" });
  const { url, close } = await serve(service, { host: "127.0.0.1", port: 0, handle_signals: false });
  const caller = createProtobufPlane();
  onTestFinished(async () => {
    await caller.stop(0);
    await close();
    await rm(data_dir, { recursive: true, force: true });
  });
  return {
    url,
    /** Executes an operation as an orchestrator does, and fetches its message as the next service would. @throws Error with the error of a task that failed */
    async run<Message>(
      method: string,
      { csv, reference, parameters = {} }: Call,
    ): Promise<{ output: Reference; message: Message }> {
      const inline = csv === undefined ? [] : [{ protocol: "inline", uri: toBase64(csv), format: "csv" }];
      const inputs = reference === undefined ? inline : [reference];
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
      return { output, message: await caller.fetchMessage(output, rpc<Message>(method)) };
    },
  };
}

function toBase64(text: string): string {
  return Buffer.from(text).toString("base64");
}
