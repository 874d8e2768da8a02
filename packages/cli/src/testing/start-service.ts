import { setTimeout as pause } from "node:timers/promises";
import { defineOperation, type ServiceOptions, sequentialService, serve } from "@aieffect/service-kit";
import { tempFolder } from "@aieffect/test-support";
import { onTestFinished } from "vitest";
import * as z from "zod";

const count = defineOperation({
  name: "CountRows",
  input: { formats: ["csv"] },
  parameters: z.object({ header: z.boolean().default(true), label: z.string().default("") }),
  async run({ inputs, parameters: { header, label }, publish }) {
    const [input] = inputs;
    if (input === undefined) throw new Error("Expected a CSV as input, found none");
    let rows = header ? -1 : 0;
    for await (const chunk of await input.stream()) rows += chunk.toString().split("\n").length - 1;
    const { protocol, metadata } = input.reference;
    return publish(JSON.stringify({ rows, label, protocol, filename: metadata?.filename }), {
      format: "json",
      as: "inline",
    });
  },
});

const wait = defineOperation({
  name: "Wait",
  style: "concurrent",
  parameters: z.object({ seconds: z.number().default(0) }),
  async run({ parameters: { seconds }, progress, publish, signal }) {
    progress(50, "waiting");
    await pause(seconds * 1000, undefined, { signal });
    return publish("second,state\n1,done\n", { format: "csv" });
  },
});

const drop = defineOperation({ name: "Drop", sink: true, run: () => undefined });

/** A real service of the kit on a free port. */
export async function startService(options: Partial<ServiceOptions> = {}) {
  const service = sequentialService({
    name: "testing",
    operations: [count, wait, drop],
    data_dir: await tempFolder(),
    log_level: "silent",
    ...options,
  });
  const running = await serve(service, { port: 0, host: "127.0.0.1", handle_signals: false, grace_ms: 0 });
  onTestFinished(() => running.close());
  return running;
}
