/** What the command ends with. */
export const exitCodes = {
  /** Nothing failed but what is known to; also when not all could be proven. */
  conformant: 0,
  failed: 1,
  /** A known-failing entry does not fail any more, or its time is over. */
  stale: 2,
  /** With --require-proof: something that has to hold could not be tested. */
  notProven: 3,
  usage: 64,
  unreachable: 69,
  harnessFault: 70,
  interrupted: 130,
} as const;
