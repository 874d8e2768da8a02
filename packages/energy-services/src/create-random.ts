/** Numbers from 0 up to, but without, 1. */
export type Random = () => number;

/**
 * A small generator of random numbers: the same seed gives the same numbers on every machine.
 * Good enough to make test data up, nothing else.
 *
 * @param seed any integer; its lower 32 bits count
 */
export function createRandom(seed: number): Random {
  // A counter that steps by an odd number visits all 2^32 states; mixing makes it look random.
  let counter = seed | 0;
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    let mixed = counter ^ (counter >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 2 ** 32;
  };
}
