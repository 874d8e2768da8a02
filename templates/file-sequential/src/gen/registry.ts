// Derived from src/operations/, one line an operation; `aieffect add operation` rewrites it.
export { cleanLoad } from "../operations/clean-load.ts";
