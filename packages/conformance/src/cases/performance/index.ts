import { ack } from "./p01-ack.ts";
import { poll } from "./p02-poll.ts";
import { knee } from "./p03-knee.ts";
import { payload } from "./p04-payload.ts";
import { memory } from "./p05-memory.ts";
import { startup } from "./p06-startup.ts";

export const performanceCases = [ack, poll, knee, payload, memory, startup];
