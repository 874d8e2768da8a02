/** What the command ends with. */
export const exitCodes = {
  completed: 0,
  failed: 1,
  usage: 2,
  invalidDocument: 4,
  unreachable: 5,
  interrupted: 130,
  terminated: 143,
} as const;
