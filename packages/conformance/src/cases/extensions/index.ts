import { discovery } from "./x01-discovery.ts";
import { wait } from "./x02-wait.ts";
import { waitBounded } from "./x03-wait-bounded.ts";
import { events } from "./x04-events.ts";
import { idempotency } from "./x05-idempotency.ts";
import { cancel } from "./x06-cancel.ts";
import { baseTransparent } from "./x08-base-transparent.ts";

export const extensionCases = [discovery, wait, waitBounded, events, idempotency, cancel, baseTransparent];
