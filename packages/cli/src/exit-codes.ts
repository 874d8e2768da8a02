/** What the command ends with. */
export const exitCodes = {
  fine: 0,
  /** Something that should not happen, or a file that could not be written. */
  failed: 1,
  usage: 2,
  /** A target is taken: writing would replace something. */
  conflict: 3,
  /** A use case, an export, a manifest or a configuration has errors. */
  invalidDocument: 4,
  /** What the command needs is not there: a program, a package, a port. */
  environment: 5,
  /** A service broke the contract or failed its task; a project has findings. */
  finding: 8,
  /** Nobody answers there, or something else than a service. */
  unreachable: 9,
  interrupted: 130,
  /** By SIGTERM. */
  terminated: 143,
} as const;
