/** A concurrent operation that takes as long as it is told and says when it ended. */
import { setTimeout as pause } from "node:timers/promises";
import { concurrentService, defineOperation, serve } from "@aieffect/service-kit";
import { now } from "../shared-clock.ts";

const nap = defineOperation({
  name: "Nap",
  async run({ parameters, publish }) {
    await pause(Number(parameters.ms));
    return publish(JSON.stringify({ ended: now() }), { format: "json", as: "inline" });
  },
});
const { url } = await serve(concurrentService({ operations: [nap] }), { host: "127.0.0.1", port: 0 });
process.send?.(url);
