/** `pnpm plop` in this repository: a service below the folder that you are in, and what contributors add. */
import { fileURLToPath } from "node:url";
import { registerGenerators } from "./dist/doors/plop.js";
import { conformanceCaseGenerator, readTemplates } from "./dist/index.js";

const checkout = fileURLToPath(new URL("../", import.meta.url));

export default (plop) =>
  registerGenerators(plop, {
    root: process.env.INIT_CWD ?? process.cwd(),
    templates: readTemplates(checkout),
    more: [{ generator: conformanceCaseGenerator, root: checkout }],
  });
