import { ControlClient, type DataReference } from "@aieffect/control-interface";
import { type DataPlane, type Operation, sequentialService, serve } from "@aieffect/service-kit";
import { tempFolder } from "@aieffect/test-support";
import { onTestFinished } from "vitest";

/** Where a test's operation runs. */
export interface TestPlace {
  /** The shared storage. @default a folder of the test's own */
  data_dir?: string;
  /** Data planes beside the kit's own. @default none */
  planes?: readonly DataPlane[];
}

/** What a test does with one operation. */
export interface TestService {
  /** The shared storage. */
  data_dir: string;
  client: ControlClient;
  /** Executes over HTTP, as the next task of its workflow, and gives the output. @throws Error with the operation's error */
  run(inputs: readonly DataReference[], parameters?: Record<string, unknown>): Promise<DataReference>;
}

/** A real service with this operation on a free port, for one test. */
export async function startOperation(
  // biome-ignore lint/suspicious/noExplicitAny: parameters differ from operation to operation
  operation: Operation<any>,
  { data_dir, planes = [] }: TestPlace = {},
): Promise<TestService> {
  const folder = data_dir ?? (await tempFolder());
  const service = sequentialService({
    operations: [operation],
    planes,
    data_dir: folder,
    log_level: "silent",
  });
  const { url, close } = await serve(service, { host: "127.0.0.1", port: 0, handle_signals: false });
  onTestFinished(close);
  const client = new ControlClient({ base_url: url });
  onTestFinished(() => client.close());
  let tasks = 0;
  return {
    data_dir: folder,
    client,
    async run(inputs, parameters = {}) {
      tasks += 1;
      const call = {
        method: operation.name,
        workflow_id: "wf-test",
        task_id: `task_${tasks}`,
        inputs,
        parameters,
      };
      const reply = await client.execute(call);
      if (reply.status === "complete" && reply.output) return reply.output;
      throw new Error(reply.error ?? `Expected an output, found ${JSON.stringify(reply)}`);
    },
  };
}
