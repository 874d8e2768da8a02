/** A no-op sequential operation on the kit as it is shipped: logging on, limits on. */
import { defineOperation, sequentialService, serve } from "@aieffect/service-kit";

const noop = defineOperation({ name: "Noop", sink: true, run: () => undefined });
const { url } = await serve(sequentialService({ operations: [noop] }), { host: "127.0.0.1", port: 0 });
process.send?.(url);
