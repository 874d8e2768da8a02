/**
 * How large a proof is: a short form with `npm run endurance -- --short`, else in full, which CI runs.
 */
export function scale<T>({ short, full }: { short: T; full: T }): T {
  return process.env.AIEFFECT_FULL ? full : short;
}
