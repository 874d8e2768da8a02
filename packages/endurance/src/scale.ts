/**
 * How large a proof is: a short form in `npm test`, in full under `npm run endurance`, which CI runs.
 */
export function scale<T>({ short, full }: { short: T; full: T }): T {
  return process.env.AIEFFECT_FULL ? full : short;
}
