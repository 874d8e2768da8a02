// Derived from src/operations/, one line an operation; `aieffect add operation` rewrites it.
export { readFeeder } from "../operations/read-feeder.ts";
