import { ControlError } from "@aieffect/control-interface";

/** The error of a caller that gave up. */
export function givenUp(what: string, signal: AbortSignal): ControlError {
  return new ControlError("aborted", `${what}: given up by the caller`, { cause: signal.reason });
}

/** @throws ControlError `aborted` when the caller has given up already */
export function assertWanted(what: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw givenUp(what, signal);
}

/**
 * What may help against a failure: to ask `again`, for what is still missing, or to fetch the whole
 * payload `anew`, because what came of it is damaged.
 */
export type Remedy = "again" | "anew";

const remedies = new WeakMap<ControlError, Remedy>();

/** Notes on an error what may help against it. */
export function curable(remedy: Remedy, error: ControlError): ControlError {
  remedies.set(error, remedy);
  return error;
}

/** What may help against an error; most of the time nothing. */
export function remedyOf(error: unknown): Remedy | undefined {
  return error instanceof ControlError ? remedies.get(error) : undefined;
}

const hints: Record<string, string> = {
  ENOENT: "it does not exist; is the storage mounted here, and was the file kept?",
  ENOTDIR: "a part of its path is a file, not a folder",
  EACCES: "this process may not read it; check its owner and mode",
  EPERM: "this process may not read it; check its owner and mode",
  ELOOP: "its symbolic links lead in a circle",
  ENAMETOOLONG: "its path is longer than the file system allows",
  ECONNREFUSED: "nothing listens there; is the service started, and is this its port?",
  ENOTFOUND: "no such host; is the name right, and is the service in the same network?",
  EAI_AGAIN: "the name could not be resolved now; is the service in the same network?",
  ECONNRESET:
    "the connection was cut before the payload was complete; try again, or look into the peer's log",
};

/** Of a peer that restarts, or a network that stumbles. Among containers, a name is gone while its container is down. */
const passing = new Set(
  "ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT EAI_AGAIN ENOTFOUND EHOSTUNREACH EHOSTDOWN ENETUNREACH ENETDOWN".split(
    " ",
  ),
);

/** Says of anything that went wrong while reading `what` what it means and what to do; a ControlError stays as it is. */
export function toUnreadable(what: string, error: unknown): ControlError {
  if (error instanceof ControlError) return error;
  const unreadable = new ControlError("unreadable_reference", `Cannot read ${what}: ${reasonOf(error)}`, {
    cause: error,
  });
  return mayPass(error) ? curable("again", unreadable) : unreadable;
}

/** What an error of the system means and what to do. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const hint = (code !== undefined && hints[code]) || message;
  return code === undefined || hint.includes(code) ? hint : `${hint} (${code})`;
}

/** Whether an error of the system may be gone when the same is tried again. */
export function mayPass(error: unknown): boolean {
  return passing.has((error as NodeJS.ErrnoException).code ?? "");
}
