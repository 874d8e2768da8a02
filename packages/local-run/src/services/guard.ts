// Loaded into every service that local-run starts (`node --import guard.js main.js`). It belongs to
// the child's entry, so it may end the process.
import { readFileSync } from "node:fs";

/** How long a service may take to stop by itself once its parent has gone. */
const grace_ms = 3_000;

process.on("message", (message) => {
  if (message !== "peak_rss") return;
  process.send?.({ peak_rss_bytes: peakRssBytes() });
});
// Without this the open channel would keep a service alive that has stopped.
process.channel?.unref();

const codes = { SIGINT: 130, SIGTERM: 143 } as const;
let asked = false;
for (const [signal, code] of Object.entries(codes)) {
  process.on(signal, () => {
    // Without a handler of its own the service would have ended here, were it not for this one.
    if (!asked && process.listenerCount(signal) === 1) process.exit(code);
    // Ctrl-C reaches the service and its parent, which then asks once more. A service that is cleaning
    // up and handles signals no longer must not be ended by that.
    asked = true;
  });
}

// The parent ended, however it ended: Ctrl-C, crash or `kill -9`. Nobody needs this service any more.
process.once("disconnect", () => {
  setTimeout(() => process.exit(1), grace_ms).unref();
  process.emit("SIGTERM", "SIGTERM");
  // Once more, because nobody is left to take the result of what still runs: a service of the kit
  // then aborts its tasks, in time to remove what they have half written.
  process.emit("SIGTERM", "SIGTERM");
});

function peakRssBytes(): number {
  try {
    // On Linux `maxRSS` counts the parent's memory at the moment of the fork; VmHWM is this program's own.
    const own = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    if (own !== undefined) return Number(own) * 1024;
  } catch {
    // No /proc on this platform, where `maxRSS` is right.
  }
  return process.resourceUsage().maxRSS * 1024;
}
