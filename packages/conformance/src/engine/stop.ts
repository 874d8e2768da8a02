/** Ends a case early without being a fault: a `require` that did not hold, or a prerequisite that turned out missing. */
export class CaseStop extends Error {}

/** Ends a case: it cannot be tested here, and why. */
export class Untestable extends Error {}

/** Ends a case: it does not concern this service, and why. */
export class NotApplicable extends Error {}

/** Ends a case: somebody pressed Ctrl-C. */
export class Interrupted extends Error {}

/** Too many requests, or another fault of the harness itself (exit code 70). */
export class HarnessFault extends Error {}
