/** A service in a process of its own, for tests that fill its disk or look at its memory. */
import { defineOperation, sequentialService, serve } from "../index.ts";

const operations = [
  defineOperation({
    name: "Fill",
    run: ({ publish }) => publish(Buffer.alloc(5_000_000), { format: "binary" }),
  }),
  defineOperation({
    name: "PeakMemory",
    run: ({ publish }) => {
      const peak_mb = process.resourceUsage().maxRSS / 1024;
      return publish(JSON.stringify({ peak_mb }), { format: "json", as: "inline" });
    },
  }),
];
await serve(sequentialService({ operations }), { host: "127.0.0.1", port: 0, grace_ms: 0 });
