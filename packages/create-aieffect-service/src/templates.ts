import { fileURLToPath } from "node:url";
import { readTemplates, type Templates } from "@aieffect/generators";

/** The templates: those of the checkout here; the build puts a copy of them in the place of this file. */
export function readEmbeddedTemplates(): Templates {
  return readTemplates(fileURLToPath(new URL("../../../", import.meta.url)));
}
