import { ControlError } from "@aieffect/control-interface";
import { type ServiceError, status } from "@grpc/grpc-js";

/** Where something is fetched from, for messages. */
export interface Source {
  /** `host:port` */
  peer: string;
  /** Full name of the RPC. */
  rpc: string;
}

/** A failure of a call, and whether asking again may help. */
export class CallFailure extends Error {
  override readonly name = "CallFailure";
  readonly code: string;
  readonly passing: boolean;

  constructor(code: string, details: string, passing: boolean, cause: unknown) {
    super(details, { cause });
    this.code = code;
    this.passing = passing;
  }
}

/** Of a peer that restarts, and of names and networks that stumble. */
const passingErrors = new Set(
  "ECONNREFUSED ECONNRESET ETIMEDOUT EAI_AGAIN ENOTFOUND EHOSTUNREACH ENETUNREACH".split(" "),
);

/** What a call threw, or the resolving before it; a ControlError stays as it is. */
export function toFailure(thrown: unknown, silent_ms: number | undefined): CallFailure | ControlError {
  if (thrown instanceof ControlError || thrown instanceof CallFailure) return thrown;
  if (silent_ms !== undefined) {
    const details = `it sent nothing for ${silent_ms} ms`;
    return new CallFailure("DEADLINE_EXCEEDED", details, true, thrown);
  }
  if (isServiceError(thrown)) {
    return new CallFailure(
      status[thrown.code] ?? String(thrown.code),
      thrown.details,
      mayPass(thrown),
      thrown,
    );
  }
  const { code = "UNKNOWN", message } = thrown as NodeJS.ErrnoException;
  return new CallFailure(code, message, passingErrors.has(code), thrown);
}

/** All that is asked here only reads, so that asking twice does no harm. */
function mayPass({ code, details }: ServiceError): boolean {
  if (code === status.UNAVAILABLE || code === status.ABORTED) return true;
  // How a stream looks that a server cut which did not wait for its end; those that we cut are told by their reason.
  if (code === status.CANCELLED && details === "Call cancelled") return true;
  // How a connection that was cut in the middle of an answer looks.
  return code === status.INTERNAL && /RST_STREAM|Protocol error|ECONNRESET/.test(details);
}

const hints: Record<string, string> = {
  UNAVAILABLE: "is the service started, and is this its gRPC port?",
  UNIMPLEMENTED: "the peer does not serve this RPC; is it the right port?",
  UNAUTHENTICATED: "the peer asks for a key; put it into peer_keys, by host or host:port",
  ENOTFOUND: "no such host; is the name right, and is the service in the same network?",
};

/** Says what went wrong, where, and what to do. */
export function toUnreadable({ peer, rpc }: Source, failure: CallFailure, tries: number): ControlError {
  const { code, message } = failure;
  const hint = hints[code] ?? (/larger than max/.test(message) ? "max_fetch_bytes allows more" : undefined);
  const often = tries > 1 ? ` (tried ${tries} times)` : "";
  return new ControlError(
    "unreadable_reference",
    `Cannot fetch ${rpc} from ${peer}: ${code}${message === "" ? "" : `: ${message}`}${hint === undefined ? "" : `; ${hint}`}${often}`,
    { cause: failure.cause },
  );
}

/** The error of a caller that gave up. */
export function givenUp({ peer, rpc }: Source, signal: AbortSignal): ControlError {
  return new ControlError("aborted", `Fetching ${rpc} from ${peer}: given up by the caller`, {
    cause: signal.reason,
  });
}

function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && "details" in thrown && typeof (thrown as ServiceError).code === "number";
}
