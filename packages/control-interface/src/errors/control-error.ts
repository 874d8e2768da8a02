/**
 * Every way in which a control call can fail, and the HTTP status that says so on the wire.
 * A failed operation is not among them: it answers 200 with `failed` (R-EXEC-11).
 */
const statusByCode = {
  /** The body is not JSON, or a field is missing or of the wrong type (R-EXEC-12). */
  invalid_request: 422,
  /** The service has no such operation (R-EXEC-13). */
  unknown_method: 400,
  /** The bearer token is missing or wrong (R-AUTH-01). */
  unauthorized: 401,
  /** No execution is known under this id (R-STAT-04). */
  task_not_found: 404,
  /** The output of a task was asked for that is running or failed (R-OUT-02). */
  task_not_complete: 400,
  /** The task has no payload that this service could send (R-DATA-03). */
  no_payload: 404,
  /** The path does not exist (R-GEN-05). */
  not_found: 404,
  /** The path exists, the method does not (R-GEN-05). */
  method_not_allowed: 405,
  /** The body is larger than the service takes (R-EXEC-14). */
  body_too_large: 413,
  /** The body did not come, or stood still for too long. */
  request_timeout: 408,
  /** An upload is no multipart/form-data (R-UP-01). */
  unsupported_media_type: 415,
  /** The range begins behind the end of the payload (R-DATA-05). */
  range_not_satisfiable: 416,
  /** The client has made too many calls (R-LIMIT-01). */
  rate_limited: 429,
  /** An Idempotency-Key came back with another body (R-IDEM-02). */
  idempotency_mismatch: 422,
  /** Too many tasks wait (R-EXEC-15). */
  queue_full: 503,
  /** The service is stopping and takes no new tasks. */
  stopping: 503,
  /** The store that keeps the tasks cannot be reached, or does not take what is to be kept. */
  store_unavailable: 503,
  /** The disk or its quota is full. */
  storage_full: 507,
  /** A reference breaks a rule of the contract (R-REF-01 to R-REF-18). */
  invalid_reference: 422,
  /** A reference could not be read: file missing, host refused, too large, wrong checksum. */
  unreadable_reference: 502,
  /** Nobody answered: refused, reset or not resolvable. */
  unreachable: 502,
  /** No answer within the time limit. */
  timeout: 504,
  /** The peer answered with an HTTP status of 400 or above. */
  peer_refused: 502,
  /** The peer's answer is not what the contract allows. */
  invalid_reply: 502,
  /** The caller gave up. */
  aborted: 499,
  /** Something that should not happen; the log has it in full. */
  internal: 500,
} as const;

/** The closed set of codes a {@link ControlError} can have. */
export type ControlErrorCode = keyof typeof statusByCode;

/** What a {@link ControlError} can carry beside code and message. */
export interface ControlErrorOptions extends ErrorOptions {
  /** The `detail` of the answer where it is not the message, e.g. the list of a 422. */
  detail?: unknown;
  /** Seconds after which trying again makes sense; becomes `Retry-After`. */
  retry_after_s?: number;
  /** The peer's HTTP status, where a peer refused. */
  peer_status?: number;
}

/**
 * The one error class of the control interface. Programs read `code`, people read `message`
 * (what was expected, what was found, what to do next).
 */
export class ControlError extends Error {
  override readonly name = "ControlError";
  readonly code: ControlErrorCode;
  readonly detail: unknown;
  readonly retry_after_s: number | undefined;
  readonly peer_status: number | undefined;

  constructor(code: ControlErrorCode, message: string, options: ControlErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.detail = options.detail ?? message;
    this.retry_after_s = options.retry_after_s;
    this.peer_status = options.peer_status;
  }

  /** The HTTP status this error is answered with. */
  get status(): number {
    return statusByCode[this.code];
  }
}

/** Turns whatever was thrown into a ControlError, keeping the original as `cause`. */
export function toControlError(thrown: unknown): ControlError {
  if (thrown instanceof ControlError) return thrown;
  return new ControlError("internal", "Internal error; the service's log has the details", {
    cause: thrown,
  });
}
