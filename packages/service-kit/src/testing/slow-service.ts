/** A service in a process of its own, for tests that stop processes. */
import { setTimeout as pause } from "node:timers/promises";
import { defineOperation, sequentialService, serve } from "../index.ts";

const operations = [
  defineOperation({
    name: "Slow",
    style: "concurrent",
    sink: true,
    run: (ctx) => pause(60_000, undefined, { signal: ctx.signal }),
  }),
  defineOperation({ name: "Deaf", style: "concurrent", sink: true, run: () => pause(60_000) }),
  defineOperation({ name: "Short", sink: true, run: () => pause(700) }),
];
await serve(sequentialService({ operations }), { grace_ms: 1500 });
