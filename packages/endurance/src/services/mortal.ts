/** A service to be killed: quick, slow, endless and gated tasks, whose results are files. */
import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { defineOperation, type OperationContext, sequentialService, serve } from "@aieffect/service-kit";
import { payloadOf } from "./payload-of.ts";

const publish = (ctx: OperationContext) => ctx.publish(payloadOf(ctx.task_id), { format: "json" });

const operations = [
  defineOperation({
    name: "Quick",
    async run(ctx) {
      await pause(Math.random() * 20);
      return publish(ctx);
    },
  }),
  defineOperation({
    name: "Slow",
    style: "concurrent",
    async run(ctx) {
      for (let percent = 10; percent < 100; percent += 10) {
        await pause(Math.random() * 8);
        ctx.progress(percent, `at ${percent}`);
      }
      return publish(ctx);
    },
  }),
  defineOperation({
    name: "Endless",
    style: "concurrent",
    async run(ctx) {
      await ctx.folder();
      ctx.progress(1);
      await pause(600_000, undefined, { signal: ctx.signal });
    },
  }),
  defineOperation({
    name: "Gated",
    style: "concurrent",
    async run(ctx) {
      while (!existsSync(process.env.GATE ?? "")) await pause(10, undefined, { signal: ctx.signal });
      return publish(ctx);
    },
  }),
];

// Who kills it in the middle of opening its store has to know when that begins.
process.stderr.write("opening\n");
await serve(sequentialService({ operations, name: "mortal" }), { grace_ms: 0 });
