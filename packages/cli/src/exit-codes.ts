/** What the command ends with. */
export const exitCodes = {
  fine: 0,
  failed: 1,
  usage: 2,
  /** A use case, an export or a configuration has errors. */
  invalidDocument: 4,
  interrupted: 130,
  /** By SIGTERM. */
  terminated: 143,
} as const;
