/** The command line makes no sense; the message says what was expected. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Nobody answers at the target's address; the message says what to do. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}
