/** The command line cannot be meant; its message says what was expected. */
export class UsageError extends Error {}
