// Derived from src/operations/, one line an operation; `aieffect add operation` rewrites it.
export { checkFeeder } from "../operations/check-feeder.ts";
