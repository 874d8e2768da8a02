import { registerGenerators } from "@aieffect/generators/plop";

/** `npm run plop`: what `aieffect add` does, asking questions. */
export default (plop) => registerGenerators(plop, { root: import.meta.dirname });
