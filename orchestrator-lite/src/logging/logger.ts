import type { Logger as PinoLogger } from "pino";

/** What is needed of a logger: a pino logger has it. */
export type Logger = Pick<PinoLogger, "debug" | "info" | "warn" | "error">;
